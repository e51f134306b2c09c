// Repeats a task: at an interval while it succeeds, with growing and random pauses while it fails. Does not know the
// task, and logs nothing.

import { Backoff } from './backoff.ts'

const FIRST_PAUSE_MS = 250

export interface PollOptions {
  /** Resolves with whether it succeeded. To reject is a defect, after which the task is called again as after a failure. */
  readonly task: () => Promise<boolean>
  readonly intervalMs: number
  /** The longest pause after a failure: a recovery is noticed within this time. */
  readonly pauseCapMs: number
  /** Uniform in [0, 1). */
  readonly random?: (() => number) | undefined
}

/** A repeated task. Its calls never overlap. */
export class Poll {
  readonly #options: PollOptions
  readonly #backoff: Backoff
  #timer: NodeJS.Timeout | undefined
  #succeeded = false
  #closed = false

  constructor(options: PollOptions) {
    const { pauseCapMs: capMs, random } = options
    this.#options = options
    this.#backoff = new Backoff({ firstMs: FIRST_PAUSE_MS, capMs, random })
  }

  /** Calls the task now, and again until {@link close}. Resolves after the first call. Rejects if that did. */
  async start(): Promise<void> {
    let succeeded = false
    try {
      succeeded = await this.#options.task()
    } finally {
      if (!this.#closed) this.#callAgain(succeeded)
    }
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #callAgain(succeeded: boolean): void {
    if (succeeded) this.#backoff.reset()
    this.#succeeded ||= succeeded
    const pauseMs = succeeded ? this.#options.intervalMs : this.#backoff.next()
    this.#timer = setTimeout(() => void this.start(), pauseMs)
    // Before the first success the program may have nothing else to wait for, and would end.
    if (this.#succeeded) this.#timer.unref()
  }
}
