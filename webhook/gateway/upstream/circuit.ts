// Whether an adapter is asked at all: after failures in a row only one request at a time tries it, and the others fail at once.
import { Backoff } from '#serving/backoff.ts'

/** One of several pods behind the Service may be down, while the others answer. */
const TOLERATED = 3

const FIRST_PAUSE_MS = 250
const PAUSE_CAP_MS = 5_000

export class Circuit {
  readonly #backoff: Backoff
  #failures = 0
  /** Milliseconds of the monotonic clock of the caller. */
  #closedUntil = 0
  #trying = false

  constructor({ random }: { readonly random?: () => number } = {}) {
    this.#backoff = new Backoff({ firstMs: FIRST_PAUSE_MS, capMs: PAUSE_CAP_MS, random })
  }

  /** Whether a request may be sent now. If so, one of the other methods must follow. */
  admits(now: number): boolean {
    if (this.#failures < TOLERATED) return true
    if (this.#trying || now < this.#closedUntil) return false
    this.#trying = true
    return true
  }

  succeeded(): void {
    this.#failures = 0
    this.#trying = false
    this.#backoff.reset()
  }

  failed(now: number): void {
    this.#trying = false
    this.#failures += 1
    // Requests that were under way together fail together: only the first of them counts.
    if (this.#failures < TOLERATED || now < this.#closedUntil) return
    this.#closedUntil = now + this.#backoff.next()
  }

  /** The request was given up before it told anything. */
  abandoned(): void {
    this.#trying = false
  }
}
