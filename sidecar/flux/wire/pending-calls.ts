// The calls that wait for an answer, by matchtag (RFC 6). Deadlines and signals are in client.ts.
import type { FluxError } from '../errors.ts'
import { FLAG, type RequestMessage, type ResponseMessage } from './message.ts'

/** The largest matchtag that fits the signed integer of a cancel request. */
const MAX_MATCHTAG = 0x7fffffff

/** A call whose request was sent. */
export interface PendingCall {
  readonly request: RequestMessage
  /** Handles an answer. Returns whether it was the last one for this matchtag. */
  answer(response: ResponseMessage): boolean
  fail(reason: FluxError): void
}

/** The pending calls of one connection. */
export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>()
  #lastMatchtag = 0

  /** Number of matchtags in use, retired ones included. */
  get size(): number {
    return this.#calls.size
  }

  /** A matchtag that no call uses. It is in use from {@link PendingCalls.add} on. */
  nextMatchtag(): number {
    this.#lastMatchtag = nextMatchtag(this.#lastMatchtag, this.#calls)
    return this.#lastMatchtag
  }

  add(call: PendingCall): void {
    this.#calls.set(call.request.matchtag, call)
  }

  /**
   * Drops all further answers to a call that its caller has left. Its matchtag stays in use until the last answer: a late
   * answer must not reach another call.
   *
   * @returns the request of the call, `undefined` if no call uses the matchtag
   */
  retire(matchtag: number): RequestMessage | undefined {
    const request = this.#calls.get(matchtag)?.request
    if (request === undefined) return undefined
    const isStreaming = (request.flags & FLAG.streaming) !== 0
    this.add({
      request,
      answer: ({ errnum }) => !isStreaming || errnum !== 0,
      fail: () => {},
    })
    return request
  }

  /** Passes an answer to its call. An answer with an unknown matchtag is ignored. */
  receive(response: ResponseMessage): void {
    if (this.#calls.get(response.matchtag)?.answer(response)) {
      this.#calls.delete(response.matchtag)
    }
  }

  /** Fails all calls, because the connection ended. */
  failAll(reason: FluxError): void {
    for (const call of this.#calls.values()) call.fail(reason)
    this.#calls.clear()
  }
}

/** The first matchtag after `last` that is not in use. 0 means "none" on the wire and is never used. */
export function nextMatchtag(last: number, inUse: ReadonlyMap<number, unknown>): number {
  let matchtag = last
  do matchtag = matchtag === MAX_MATCHTAG ? 1 : matchtag + 1
  while (inUse.has(matchtag))
  return matchtag
}
