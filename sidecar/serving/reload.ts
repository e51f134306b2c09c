// Reads a value at an interval, from files mostly, and passes on each change. A value that cannot be read leaves the old
// one in use.
import { messageOf } from './text.ts'

/**
 * How often files are read and compared. Watching them does not work: a Secret's volume swaps a symbolic link two folders
 * up.
 */
const RELOAD_INTERVAL_MS = 2_000

export interface ReloadOptions<T> {
  /** Rejects if the new value is missing or invalid. */
  readonly read: () => Promise<T>
  /** A text that is the same for equal values. */
  readonly fingerprint: (value: T) => string
  /** The value in use; `undefined` if there is none yet. */
  readonly current: T | undefined
  readonly onChange: (value: T) => void
  /** Called with the error; not again while its message stays the same. */
  readonly onRefused: (err: unknown) => void
  readonly intervalMs?: number | undefined
}

/** A value that is read again until it is closed. */
export class Reload<T> {
  readonly #options: ReloadOptions<T>
  readonly #timer: NodeJS.Timeout
  #seen: string | undefined
  #refused: string | undefined

  constructor(options: ReloadOptions<T>) {
    const { current, fingerprint, intervalMs = RELOAD_INTERVAL_MS } = options
    this.#options = options
    this.#seen = current === undefined ? undefined : fingerprint(current)
    this.#timer = setInterval(() => void this.check(), intervalMs)
    this.#timer.unref()
  }

  /** Reads now. Never rejects. */
  async check(): Promise<void> {
    const { read, fingerprint, onChange, onRefused } = this.#options
    let value: T
    try {
      value = await read()
    } catch (err) {
      const reason = messageOf(err)
      if (reason !== this.#refused) onRefused(err)
      this.#refused = reason
      return
    }
    this.#refused = undefined
    const seen = fingerprint(value)
    if (seen === this.#seen) return
    this.#seen = seen
    onChange(value)
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
