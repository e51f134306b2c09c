// Remote procedure calls over one connection (RFC 6): single answers, streams, events, deadlines. The bytes are in
// connection.ts, the matchtags in pending-calls.ts.

import { ERRNO, FluxError } from '../errors.ts'
import { Turns } from '../turns.ts'
import { type Connection, connect } from './connection.ts'
import { cancelled, limitAnswer, remoteError, requestMessage, settle } from './exchange.ts'
import { FLAG, type Message, NODEID_ANY } from './message.ts'
import { decodeJson, type JsonObject } from './payload.ts'
import { type PendingCall, PendingCalls } from './pending-calls.ts'
import { AnswerStream } from './stream.ts'
import { type FluxEvent, Subscriptions } from './subscriptions.ts'

/** The topic that cancels each stream. A stream that is not listed ends only with the connection. */
const CANCEL_TOPICS: ReadonlyMap<string, string> = new Map([
  ['job-manager.events-journal', 'job-manager.events-journal-cancel'],
  ['resource.journal', 'resource.journal-cancel'],
  ['job-info.eventlog-watch', 'job-info.eventlog-watch-cancel'],
  ['kvs-watch.lookup', 'kvs-watch.cancel'],
])

/** A larger answer is decoded in a turn of its own. It is in several chunks, so its frame has memory of its own. */
const LARGE_BYTES = 2 ** 14

export interface CallOptions {
  /** Rank of the broker that must answer. Default: the nearest broker that has the service. */
  readonly nodeid?: number
  /** A larger answer is not decoded: the call fails with EMSGSIZE. */
  readonly maxBytes?: number
  /** Limit for the time until the answer. For a stream: until its first answer. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** A connected client. When its connection ends, every pending call fails with the reason. */
export class Client {
  readonly #pending = new PendingCalls()
  readonly #subscriptions = new Subscriptions()
  readonly #turns = new Turns()
  readonly #ended = Promise.withResolvers<FluxError>()
  #connection: Connection | undefined
  #reason: FluxError | undefined

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

  /** Resolves with the reason when the connection ends. Never rejects. */
  get ended(): Promise<FluxError> {
    return this.#ended.promise
  }

  /** Number of matchtags in use. A matchtag stays in use until the last answer to its call. */
  get matchtagsInUse(): number {
    return this.#pending.size
  }

  /**
   * Calls a method that answers once.
   *
   * @param topic service and method, e.g. `resource.sched-status`
   * @param args the JSON object to send, or `undefined` for a request without payload
   * @throws FluxError `FLUX_REMOTE` with the broker's `errnum`, `FLUX_TIMEOUT`, `FLUX_CANCELLED` by the signal,
   * `FLUX_PROTOCOL` for an answer that is not a JSON object, or the reason why the connection ended
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
        const { errnum, payload } = limitAnswer(response, options)
        const decode = () => settle(() => decodeJson(payload, topic), resolve, reject)
        if (errnum !== 0) reject(remoteError(topic, { ...response, errnum, payload }))
        else if ((payload?.length ?? 0) > LARGE_BYTES) this.#turns.add(decode)
        else decode()
        return true
      },
      fail: reject,
    })
    return await promise.finally(release)
  }

  /**
   * Calls a streaming method. A caller that leaves the loop cancels the stream, where Flux has a topic for this. Late
   * answers are dropped, and the matchtag is free again after the last of them.
   *
   * @yields the answers, until the broker ends the stream (ENODATA)
   * @throws FluxError as {@link Client.call}. `timeoutMs` limits the time until the first answer. An answer that is not
   * a JSON object cancels the stream
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
   * Subscribes to the events whose topic begins with `prefix`. A caller that leaves the loop unsubscribes. When the
   * connection ends, the loop throws the reason.
   *
   * @throws FluxError as {@link Client.call}
   */
  async subscribe(prefix: string, options: CallOptions): Promise<AsyncIterable<FluxEvent>> {
    const events = this.#subscriptions.add(prefix)
    events.onAbandon = () => {
      this.#subscriptions.remove(events)
      this.#sendOneWay('event.unsubscribe', { topic: prefix }, NODEID_ANY)
    }
    try {
      await this.call('event.subscribe', { topic: prefix }, options)
    } catch (error) {
      this.#subscriptions.remove(events)
      throw error
    }
    return events
  }

  /** Disconnects. The broker drops the calls that it has not answered. */
  close(): void {
    this.#connection?.close()
  }

  #start(
    topic: string,
    args: JsonObject | undefined,
    call: CallOptions & Omit<PendingCall, 'request'> & { readonly flags: number },
  ): Release {
    const { signal, timeoutMs } = call
    const matchtag = this.#pending.nextMatchtag()
    // Encoded before the timer starts: arguments that cannot be encoded throw here, and leave nothing to clean up.
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
    const timeOut = () =>
      giveUp(new FluxError('FLUX_TIMEOUT', `No answer to "${topic}" in ${timeoutMs} ms`, { topic }))
    const abort = () => giveUp(cancelled(topic, signal))
    const timer = setTimeout(timeOut, timeoutMs)
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
      this.#pending.add({ request, answer: call.answer, fail })
      this.#connection?.send(request)
    }
    return release
  }

  #cancelStream(matchtag: number): void {
    const request = this.#pending.retire(matchtag)
    const topic = CANCEL_TOPICS.get(request?.topic ?? '')
    if (request !== undefined && topic !== undefined) {
      this.#sendOneWay(topic, { matchtag }, request.nodeid)
    }
  }

  #sendOneWay(topic: string, args: JsonObject, nodeid: number): void {
    this.#connection?.send(
      requestMessage(topic, args, { nodeid, matchtag: 0, flags: FLAG.noresponse }),
    )
  }

  #receive(message: Message): void {
    if (message.type === 'response') this.#pending.receive(message)
    else if (message.type === 'event') this.#subscriptions.publish(message)
  }

  #end(reason: FluxError): void {
    this.#reason = reason
    this.#pending.failAll(reason)
    this.#subscriptions.failAll(reason)
    this.#ended.resolve(reason)
  }
}

/** Stops the timer of a call and detaches it from its signal. `deadline` stops the timer alone. */
interface Release {
  (): void
  readonly matchtag: number
  deadline(): void
}
