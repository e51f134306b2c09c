// A queue that is an async iterator: the socket pushes answers, the loop of the caller takes them. It reports every error to
// the loop, and every `break` of the loop to the socket.
import { FluxError } from '../errors.ts'

/**
 * The most answers that a caller may leave unread. The socket is always read, because brokers queue unread answers without
 * limit. A caller with more unread answers is stuck: its stream fails, before the memory of the process is used up.
 */
const MAX_UNREAD = 65_536

/** One stream of answers, for one consumer. */
export class AnswerStream<T> implements AsyncIterableIterator<T, undefined> {
  /** Called once if the stream is left before its end: by a `break` of the consumer or by {@link AnswerStream.giveUp}. */
  onAbandon: () => void = () => {}

  #unread: T[] = []
  /** Index of the first unread answer. `shift` would move the whole array for each answer. */
  #head = 0
  #waiting: PromiseWithResolvers<IteratorResult<T, undefined>>[] = []
  #outcome: 'open' | 'ended' | FluxError = 'open'

  readonly push = (value: T): void => {
    if (this.#outcome !== 'open') return
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) waiting.resolve({ done: false, value })
    else if (this.#unread.push(value) - this.#head > MAX_UNREAD) {
      this.giveUp(
        new FluxError('FLUX_CANCELLED', `Cancelled a stream: ${MAX_UNREAD} answers were not read`),
      )
    }
  }

  readonly end = (): void => this.#close('ended')

  /** The broker or the connection ended the stream, for `reason`. */
  readonly fail = (reason: FluxError): void => this.#close(reason)

  /** This side ends the stream, for `reason`. {@link AnswerStream.onAbandon} must inform the broker. */
  readonly giveUp = (reason: FluxError): void => {
    if (this.#outcome !== 'open') return
    this.#close(reason)
    this.onAbandon()
  }

  /** @throws FluxError the reason why the stream failed, once all answers before it are read */
  async next(): Promise<IteratorResult<T, undefined>> {
    const value = this.#take()
    if (value !== undefined) return { done: false, value }
    if (this.#outcome === 'ended') return { done: true, value: undefined }
    if (this.#outcome !== 'open') {
      const reason = this.#outcome
      this.#outcome = 'ended'
      throw reason
    }
    const waiting = Promise.withResolvers<IteratorResult<T, undefined>>()
    this.#waiting.push(waiting)
    return waiting.promise
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    const open = this.#outcome === 'open'
    this.#unread = []
    this.#close('ended')
    this.#outcome = 'ended'
    if (open) this.onAbandon()
    return { done: true, value: undefined }
  }

  #take(): T | undefined {
    const value = this.#unread[this.#head]
    this.#head += 1
    // Removing the read half costs O(1) per answer. It also frees memory if the consumer never reads all answers.
    if (this.#head * 2 >= this.#unread.length) {
      this.#unread = this.#unread.slice(this.#head)
      this.#head = 0
    }
    return value
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #close(outcome: 'ended' | FluxError): void {
    if (this.#outcome !== 'open') return
    this.#outcome = outcome
    const [first, ...others] = this.#waiting
    this.#waiting = []
    if (outcome !== 'ended' && first !== undefined) {
      this.#outcome = 'ended'
      first.reject(outcome)
    } else first?.resolve({ done: true, value: undefined })
    for (const waiting of others) waiting.resolve({ done: true, value: undefined })
  }
}
