// The connection of one client to a simulated broker: bytes, matchtags, streams and subscriptions. The answers are from
// methods.ts.
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { ERRNO, FluxError } from '#flux/errors.ts'
import { encodeFrame, FrameDecoder } from '#flux/wire/frame.ts'
import {
  decodeMessage,
  type EventMessage,
  encodeMessage,
  FLAG,
  type Message,
  NODEID_ANY,
  type RequestMessage,
  USERID_UNKNOWN,
} from '#flux/wire/message.ts'
import { decodeJson, type JsonObject } from '#flux/wire/payload.ts'
import type { Faults } from './faults.ts'
import { type BrokerState, type Call, type ClientState, ROLE, RpcError, Stream } from './method.ts'
import { checkOwner, findMethod } from './methods.ts'
import { encodePayload } from './payload.ts'

interface SessionOptions {
  readonly broker: BrokerState
  readonly faults: Faults
  /** The broker sets these on requests without credentials and on requests of guests. */
  readonly credentials: { readonly userid: number; readonly rolemask: number }
  /** Called for each request. */
  readonly onRequest: (topic: string) => void
  /** Called when subscriptions change. */
  readonly onSubscription: () => void
  readonly onEnd: (session: Session) => void
}

/** The content of an answer. */
interface Outcome {
  readonly errnum?: number
  readonly payload?: Buffer | undefined
  /** Rank of the broker that answers. Any rank other than 0 is one hop away. */
  readonly rank?: number
}

export class Session implements ClientState {
  readonly uuid = randomUUID()
  readonly #socket: Socket
  readonly #options: SessionOptions
  readonly #decoder = new FrameDecoder()
  readonly #prefixes: string[] = []
  /** The open streams by matchtag. `stop` sends nothing, `end` sends the final answer. */
  readonly #streams = new Map<number, { stop(): void; end(): void }>()

  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket
    this.#options = options
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    // A half-closed connection is a disconnect: pending answers are dropped.
    socket.on('end', () => this.destroy())
    socket.on('error', () => {})
    socket.on('close', () => {
      this.silence()
      options.onEnd(this)
    })
  }

  subscribe(prefix: string): void {
    this.#prefixes.push(prefix)
    this.#options.onSubscription()
  }

  unsubscribe(prefix: string): void {
    const at = this.#prefixes.indexOf(prefix)
    if (at >= 0) this.#prefixes.splice(at, 1)
    this.#options.onSubscription()
  }

  isSubscribed(topic: string): boolean {
    return this.#prefixes.some((prefix) => topic.startsWith(prefix))
  }

  publish(event: EventMessage): void {
    const isOwner = (this.#options.credentials.rolemask & ROLE.owner) !== 0
    if (event.flags & FLAG.private && !isOwner) return
    if (this.isSubscribed(event.topic ?? '')) this.#send(event)
  }

  cancel(matchtag: number): void {
    this.#streams.get(matchtag)?.end()
  }

  /** Ends all streams without a final answer. */
  silence(): void {
    for (const { stop } of this.#streams.values()) stop()
    this.#streams.clear()
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    try {
      for (const body of this.#decoder.push(chunk)) {
        const message = decodeMessage(body)
        // Control messages, events and requests without a topic are ignored, like in real brokers.
        if (message.type === 'request' && message.topic !== undefined) this.#answer(message)
      }
    } catch (error) {
      if (!(error instanceof FluxError)) throw error
      this.destroy()
    }
  }

  #answer(message: RequestMessage): void {
    const topic = (message.topic ?? '').replace(/\0$/, '')
    const request = { ...message, topic }
    this.#options.onRequest(topic)
    const rank = request.nodeid === NODEID_ANY ? 0 : request.nodeid
    this.#attempt(request, rank, () => {
      this.#options.faults.pass(topic, () =>
        this.#attempt(request, rank, () => this.#call(request, rank)),
      )
    })
  }

  #attempt(request: RequestMessage, rank: number, answer: () => void): void {
    try {
      answer()
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      const payload = error.text === undefined ? undefined : Buffer.from(`${error.text}\0`)
      // An unreachable rank is reported by rank 0.
      const from = error.errnum === ERRNO.EHOSTUNREACH ? 0 : rank
      this.#respond(request, { errnum: error.errnum, payload, rank: from })
    }
  }

  #call(request: RequestMessage, rank: number): void {
    const { broker } = this.#options
    const node = broker.instance.nodes[rank]
    const upstream = (request.flags & FLAG.upstream) !== 0
    if (node === undefined || upstream || (rank !== 0 && !node.online)) {
      throw new RpcError(ERRNO.EHOSTUNREACH)
    }
    const method = findMethod(request.topic ?? '', rank, broker)
    const call = this.#decode(request, rank)
    checkOwner(method, call.rolemask, broker)
    const reply = method.answer(call, broker)
    if (reply instanceof Stream) this.#open(request, reply)
    else this.#respond(request, { payload: reply && encodePayload(reply), rank })
  }

  #decode(request: RequestMessage, rank: number): Call {
    const { credentials } = this.#options
    const isOwner = (credentials.rolemask & ROLE.owner) !== 0
    const own = isOwner && request.userid !== USERID_UNKNOWN ? request : credentials
    return {
      args: decodeArgs(request),
      rank,
      userid: own.userid,
      // One hop away the request is not local.
      rolemask: rank === 0 ? own.rolemask : own.rolemask & ~ROLE.local,
      streaming: (request.flags & FLAG.streaming) !== 0,
      client: this,
    }
  }

  #open(request: RequestMessage, stream: Stream): void {
    let isOpen = true
    const push = (answer: JsonObject) => {
      if (isOpen) this.#respond(request, { payload: encodePayload(answer) })
    }
    const end = (errnum: number) => {
      if (isOpen) this.#respond(request, { errnum })
      isOpen = false
    }
    const close = stream.open(push, end)
    if (!isOpen) return
    const stop = () => {
      isOpen = false
      close()
    }
    this.#streams.set(request.matchtag, {
      stop,
      end: () => {
        end(ERRNO.ENODATA)
        this.#streams.delete(request.matchtag)
        close()
      },
    })
  }

  #respond(request: RequestMessage, { errnum = 0, payload, rank = 0 }: Outcome): void {
    const { flags, routes, topic = '', matchtag } = request
    if (flags & FLAG.noresponse) return
    // The connector answers subscriptions. It has no user id.
    const connector = topic.startsWith('event.') && errnum === 0
    this.#send({
      type: 'response',
      flags: flags | FLAG.route,
      userid: connector ? USERID_UNKNOWN : this.#options.broker.owner,
      rolemask: connector || rank !== 0 ? ROLE.owner : ROLE.owner | ROLE.local,
      routes,
      topic,
      payload,
      errnum,
      matchtag,
    })
  }

  #send(message: Message): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeFrame(encodeMessage(message)))
  }
}

function decodeArgs({ payload, topic }: RequestMessage): JsonObject {
  try {
    return decodeJson(payload, topic)
  } catch (error) {
    if (!(error instanceof FluxError)) throw error
    throw new RpcError(ERRNO.EPROTO)
  }
}
