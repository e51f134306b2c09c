// Reads something again and again, files mostly, and hands on what has changed. What is no good leaves the old in use.

/**
 * Files are compared by content this often. Watching them is no use: a Secret's volume swaps a symbolic link two
 * folders up.
 */
const RELOAD_INTERVAL_MS = 2_000

export interface ReloadOptions<T> {
  /** Rejects if what is there is no good. */
  readonly read: () => Promise<T>
  /** Texts that are equal if two are the same. */
  readonly fingerprint: (value: T) => string
  /** What is in use; `undefined`: nothing yet. */
  readonly current: T | undefined
  readonly onChange: (value: T) => void
  /** Called with the reason, and not again while it stays the same. */
  readonly onRefused: (err: unknown) => void
  readonly intervalMs?: number | undefined
}

/** Looks at an interval, until it is closed. */
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

  /** Looks now. Never rejects. */
  async check(): Promise<void> {
    const { read, fingerprint, onChange, onRefused } = this.#options
    let value: T
    try {
      value = await read()
    } catch (err) {
      const reason = err instanceof Error ? err.message : String(err)
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
