// Remote procedure calls over one connection (RFC 6): matchtags, deadlines, streams, events.

import { ERRNO, FluxError } from '../errors.ts'
import { type Connection, connect } from './connection.ts'
import { cancelled, nextMatchtag, remoteError, requestMessage, settle } from './exchange.ts'
import {
  type EventMessage,
  FLAG,
  type Message,
  NODEID_ANY,
  type RequestMessage,
  type ResponseMessage,
} from './message.ts'
import { decodeJson, type JsonObject } from './payload.ts'
import { AnswerStream } from './stream.ts'

/** Streams that can be cancelled, and by which topic. The others end with the connection only. */
const CANCEL_TOPICS: ReadonlyMap<string, string> = new Map([
  ['job-manager.events-journal', 'job-manager.events-journal-cancel'],
  ['resource.journal', 'resource.journal-cancel'],
  ['job-info.eventlog-watch', 'job-info.eventlog-watch-cancel'],
  ['kvs-watch.lookup', 'kvs-watch.cancel'],
])

export interface CallOptions {
  /** Broker rank that answers; default: the nearest with the service. */
  readonly nodeid?: number
  /** How long to wait for the answer; of a stream, for the first one. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

interface Pending {
  readonly request: RequestMessage
  /** Takes an answer and says whether it was the last one of this matchtag. */
  answer(response: ResponseMessage): boolean
  fail(reason: FluxError): void
}

/** An event of a subscription: its topic and its payload, `{}` if it has none. */
export interface FluxEvent {
  readonly topic: string
  readonly payload: JsonObject
}

/** A connected client. It lives as long as its connection: when that ends, every pending call fails with the reason. */
export class Client {
  readonly #pending = new Map<number, Pending>()
  readonly #subscriptions = new Map<AnswerStream<FluxEvent>, string>()
  readonly #ended = Promise.withResolvers<FluxError>()
  #connection: Connection | undefined
  #reason: FluxError | undefined
  #lastMatchtag = 0

  /** @throws FluxError as {@link connect} does */
  static async connect(
    path: string,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Client> {
    const client = new Client()
    const handlers = {
      onMessage: (message: Message) => client.#receive(message),
      onEnd: (reason: FluxError) => client.#end(reason),
    }
    client.#connection = await connect(path, { ...options, handlers })
    return client
  }

  /** Resolves, never rejects, when the connection ends: with the reason. */
  get ended(): Promise<FluxError> {
    return this.#ended.promise
  }

  /** Matchtags that still belong to a call, answered or not. */
  get matchtagsInUse(): number {
    return this.#pending.size
  }

  /**
   * Calls a method that answers once.
   *
   * @param topic service and method, e.g. `resource.sched-status`
   * @param args the JSON object to send, or `undefined` for a request without payload
   * @throws FluxError `FLUX_REMOTE` with the broker's `errnum`, `FLUX_TIMEOUT`, `FLUX_CANCELLED` by the signal,
   * `FLUX_PROTOCOL` for an answer that is no JSON object, or the reason why the connection ended
   */
  async call(
    topic: string,
    args: JsonObject | undefined,
    options: CallOptions,
  ): Promise<JsonObject> {
    const { promise, resolve, reject } = Promise.withResolvers<JsonObject>()
    const release = this.#start(topic, args, {
      ...options,
      flags: 0,
      answer: (response) => {
        if (response.errnum !== 0) reject(remoteError(topic, response))
        else settle(() => decodeJson(response.payload, topic), resolve, reject)
        return true
      },
      fail: reject,
    })
    return await promise.finally(release)
  }

  /**
   * Calls a streaming method. Leaving the loop cancels the stream where Flux can; the matchtag is free again only
   * after the last answer, and late answers are dropped.
   *
   * @yields the answers, until the stream's own end (ENODATA)
   * @throws FluxError as {@link Client.call}; `timeoutMs` bounds the wait for the first answer. An answer that is no
   * JSON object cancels the stream
   */
  stream(
    topic: string,
    args: JsonObject | undefined,
    options: CallOptions,
  ): AsyncIterable<JsonObject> {
    const answers = new AnswerStream<JsonObject>()
    const release = this.#start(topic, args, {
      ...options,
      flags: FLAG.streaming,
      answer: (response) => {
        release.deadline()
        if (response.errnum === 0) {
          settle(() => decodeJson(response.payload, topic), answers.push, answers.giveUp)
          return false
        }
        release()
        if (response.errnum === ERRNO.ENODATA) answers.end()
        else answers.fail(remoteError(topic, response))
        return true
      },
      fail: answers.fail,
    })
    answers.onAbandon = () => {
      release()
      this.#cancelStream(release.matchtag)
    }
    return answers
  }

  /**
   * Subscribes to the events whose topic begins with `prefix`. Leaving the loop unsubscribes.
   *
   * @throws FluxError when the connection ends
   */
  async subscribe(prefix: string, options: CallOptions): Promise<AsyncIterable<FluxEvent>> {
    const events = new AnswerStream<FluxEvent>()
    this.#subscriptions.set(events, prefix)
    events.onAbandon = () => {
      this.#subscriptions.delete(events)
      this.#oneWay('event.unsubscribe', { topic: prefix }, NODEID_ANY)
    }
    try {
      await this.call('event.subscribe', { topic: prefix }, options)
    } catch (error) {
      this.#subscriptions.delete(events)
      throw error
    }
    return events
  }

  /** Disconnects. The broker drops what it still does for us. */
  close(): void {
    this.#connection?.close()
  }

  #start(
    topic: string,
    args: JsonObject | undefined,
    call: CallOptions & Omit<Pending, 'request'> & { readonly flags: number },
  ): Release {
    const { signal, timeoutMs } = call
    const matchtag = nextMatchtag(this.#lastMatchtag, this.#pending)
    this.#lastMatchtag = matchtag
    // Before the clock starts: arguments that cannot be encoded throw, and leave nothing behind.
    const request = requestMessage(topic, args, {
      nodeid: call.nodeid ?? NODEID_ANY,
      matchtag,
      flags: call.flags,
    })
    const giveUp = (reason: FluxError) => {
      release()
      this.#cancelStream(matchtag)
      call.fail(reason)
    }
    const late = () =>
      giveUp(new FluxError('FLUX_TIMEOUT', `No answer to "${topic}" in ${timeoutMs} ms`, { topic }))
    const abort = () => giveUp(cancelled(topic, signal))
    const timer = setTimeout(late, timeoutMs)
    const release = Object.assign(
      () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
      },
      { matchtag, deadline: () => clearTimeout(timer) },
    )
    const fail = (reason: FluxError) => {
      release()
      call.fail(reason)
    }
    if (this.#reason !== undefined) {
      queueMicrotask(() =>
        fail(this.#reason ?? new FluxError('FLUX_DISCONNECTED', 'Not connected')),
      )
    } else if (signal?.aborted) {
      queueMicrotask(() => fail(cancelled(topic, signal)))
    } else {
      signal?.addEventListener('abort', abort, { once: true })
      this.#pending.set(matchtag, { request, answer: call.answer, fail })
      this.#connection?.send(request)
    }
    return release
  }

  /** Keeps a matchtag out of use until its last answer, which nobody waits for any more. */
  #retire(matchtag: number): void {
    const pending = this.#pending.get(matchtag)
    if (pending === undefined) return
    const streaming = (pending.request.flags & FLAG.streaming) !== 0
    this.#pending.set(matchtag, {
      request: pending.request,
      answer: (response) => !streaming || response.errnum !== 0,
      fail: () => {},
    })
  }

  #cancelStream(matchtag: number): void {
    const request = this.#pending.get(matchtag)?.request
    this.#retire(matchtag)
    const topic = CANCEL_TOPICS.get(request?.topic ?? '')
    if (request !== undefined && topic !== undefined)
      this.#oneWay(topic, { matchtag }, request.nodeid)
  }

  #oneWay(topic: string, args: JsonObject, nodeid: number): void {
    this.#connection?.send(
      requestMessage(topic, args, { nodeid, matchtag: 0, flags: FLAG.noresponse }),
    )
  }

  #receive(message: Message): void {
    if (message.type === 'response') {
      const pending = this.#pending.get(message.matchtag)
      if (pending?.answer(message)) this.#pending.delete(message.matchtag)
    } else if (message.type === 'event') this.#publish(message)
  }

  #publish(event: EventMessage): void {
    const topic = event.topic ?? ''
    for (const [events, prefix] of this.#subscriptions) {
      if (!topic.startsWith(prefix)) continue
      const decode = () => ({ topic, payload: decodeJson(event.payload, topic) })
      settle(decode, events.push, events.giveUp)
    }
  }

  #end(reason: FluxError): void {
    this.#reason = reason
    for (const pending of this.#pending.values()) pending.fail(reason)
    for (const events of this.#subscriptions.keys()) events.fail(reason)
    this.#pending.clear()
    this.#subscriptions.clear()
    this.#ended.resolve(reason)
  }
}

/** Stops the clock and the signal of a call; `deadline` stops the clock alone. */
interface Release {
  (): void
  readonly matchtag: number
  deadline(): void
}
