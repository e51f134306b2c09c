// How far a command is, in one line that is written over itself. Only on a terminal, and only if it takes a while.
import type { Output } from '../command.ts'

/** A shorter run shows nothing. */
const FIRST_MS = 500
const INTERVAL_MS = 100

/** Goes to the beginning of the line and clears it. */
const CLEAR = '\r\u001b[K'

export class Progress {
  readonly #output: Output
  readonly #now: () => number
  #nextAt: number
  #isShown = false

  /** @param now a clock in milliseconds */
  constructor(output: Output, now: () => number = () => performance.now()) {
    this.#output = output
    this.#now = now
    this.#nextAt = now() + FIRST_MS
  }

  /** Shows a text of one line in the place of the last one. */
  show(text: string): void {
    if (!this.#output.isTerminal || this.#now() < this.#nextAt) return
    this.#nextAt = this.#now() + INTERVAL_MS
    this.#isShown = true
    this.#output.write(`${CLEAR}${text.slice(0, (this.#output.columns ?? 80) - 1)}`)
  }

  /** Clears the line. */
  end(): void {
    if (this.#isShown) this.#output.write(CLEAR)
    this.#isShown = false
  }
}
