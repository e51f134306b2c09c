// A queue that is an async iterator: the socket side pushes, the loop of a caller pulls. Loses neither an error nor a break.
import { FluxError } from '../errors.ts'

/**
 * Answers a caller may leave unread. Brokers queue without limit what a client does not read, so we always read;
 * a caller that falls this far behind is stuck, and its stream fails rather than our memory.
 */
const MAX_UNREAD = 65_536

/** One stream of answers, for one consumer. */
export class AnswerStream<T> implements AsyncIterableIterator<T, undefined> {
  /** Called once if we leave before the end: the consumer by `break`, or {@link AnswerStream.giveUp}. */
  onAbandon: () => void = () => {}

  #unread: T[] = []
  /** Index of the first unread answer: `shift` would move the whole array for each. */
  #head = 0
  #waiting: PromiseWithResolvers<IteratorResult<T, undefined>>[] = []
  #outcome: 'open' | 'ended' | FluxError = 'open'

  readonly push = (value: T): void => {
    if (this.#outcome !== 'open') return
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) waiting.resolve({ done: false, value })
    else if (this.#unread.push(value) - this.#head > MAX_UNREAD) {
      this.giveUp(
        new FluxError('FLUX_CANCELLED', `Gave up a stream: ${MAX_UNREAD} answers were not read`),
      )
    }
  }

  readonly end = (): void => this.#close('ended')

  /** The other side ended the stream, for `reason`. */
  readonly fail = (reason: FluxError): void => this.#close(reason)

  /** We cannot go on with the stream, for `reason`; the other side does not know yet. */
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
    // Halving what is read costs O(1) an answer, and frees it also for a consumer that never quite catches up.
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
