// Reads a value at an interval, from files mostly, and passes on each change. A value that cannot be read or used leaves
// the old one in use, and is tried again.
import { messageOf } from './text.ts'

/**
 * How often files are read and compared. Watching them does not work: a Secret's volume swaps a symbolic link two folders
 * up.
 */
const RELOAD_INTERVAL_MS = 2_000

/** A read that hangs holds one of Node's four threads: the next ones must not take all of them. */
const MAX_READS = 3

export interface ReloadOptions<T> {
  /** Rejects if the new value is missing or invalid. */
  readonly read: () => Promise<T>
  /** A text that is the same for equal values. */
  readonly fingerprint: (value: T) => string
  /** The value in use; `undefined` if there is none yet. */
  readonly current: T | undefined
  /** Why there is none, if that was reported. It is not reported again. */
  readonly problem?: string | undefined
  /** Uses a new value. If it throws, it is called again at the next check. */
  readonly onChange: (value: T) => void
  /** Called with the error of `read` or `onChange`; not again while its message stays the same. */
  readonly onRefused: (err: unknown) => void
  readonly intervalMs?: number | undefined
}

/** A value that is read again until it is closed. */
export class Reload<T> {
  readonly #options: ReloadOptions<T>
  readonly #timer: NodeJS.Timeout
  /** The number of the check that began last, and of the latest one that has ended. */
  #begun = 0
  #ended = 0
  #open = 0
  #seen: string | undefined
  #problem: string | undefined

  constructor(options: ReloadOptions<T>) {
    const { current, problem, fingerprint, intervalMs = RELOAD_INTERVAL_MS } = options
    this.#options = options
    this.#seen = current === undefined ? undefined : fingerprint(current)
    this.#problem = problem
    this.#timer = setInterval(() => this.#tick(), intervalMs)
    this.#timer.unref()
  }

  /** Why the latest value is not used; `undefined` if it is. */
  get problem(): string | undefined {
    return this.#problem
  }

  /**
   * Reads now. Checks may overlap: one that began before another that has ended changes nothing, because it may have read
   * what was there before. Rejects only if `onRefused` throws.
   */
  async check(): Promise<void> {
    this.#begun += 1
    this.#open += 1
    const turn = this.#begun
    const [result] = await Promise.allSettled([this.#read()])
    this.#open -= 1
    if (turn < this.#ended) return
    this.#ended = turn
    if (result.status === 'rejected') this.#refuse(result.reason)
    else this.#use(result.value)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** A `read` that throws is like one that rejects. */
  async #read(): Promise<T> {
    return this.#options.read()
  }

  #tick(): void {
    if (this.#open < MAX_READS) void this.check()
    else this.#refuse(new Error(`the last ${MAX_READS} reads have not ended`))
  }

  #use(value: T): void {
    const { fingerprint, onChange } = this.#options
    try {
      const seen = fingerprint(value)
      if (seen !== this.#seen) onChange(value)
      this.#seen = seen
      this.#problem = undefined
    } catch (err) {
      // It is not known what `onChange` uses now: the next value is passed on, whichever it is.
      this.#seen = undefined
      this.#refuse(err)
    }
  }

  #refuse(err: unknown): void {
    const reason = messageOf(err)
    const isNew = reason !== this.#problem
    this.#problem = reason
    if (isNew) this.#options.onRefused(err)
  }
}
