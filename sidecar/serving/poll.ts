// Does something again and again: at an interval while it succeeds, with growing and random pauses while it fails.

const FIRST_PAUSE_MS = 250

export interface PollOptions {
  /** Tells whether it succeeded; must not reject. */
  readonly task: () => Promise<boolean>
  readonly intervalMs: number
  /** The longest pause after a failure: what is back is found within this. */
  readonly pauseCapMs: number
  /** Uniform in [0, 1). */
  readonly random?: (() => number) | undefined
}

/** Calls of the task never overlap. */
export class Poll {
  readonly #options: PollOptions
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #succeeded = false
  #closed = false

  constructor(options: PollOptions) {
    this.#options = options
  }

  /** Does it now, and then again until {@link close}. Resolves after the first time. */
  async start(): Promise<void> {
    const succeeded = await this.#options.task()
    if (this.#closed) return
    this.#failures = succeeded ? 0 : this.#failures + 1
    this.#succeeded ||= succeeded
    this.#timer = setTimeout(() => void this.start(), this.#pauseMs())
    // Before the first success, the program may be waiting for nothing else.
    if (this.#succeeded) this.#timer.unref()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** Those that failed together do not return together. */
  #pauseMs(): number {
    const { intervalMs, pauseCapMs, random = Math.random } = this.#options
    if (this.#failures === 0) return intervalMs
    const ceiling = Math.min(pauseCapMs, FIRST_PAUSE_MS * 2 ** (this.#failures - 1))
    return Math.ceil(random() * ceiling)
  }
}
