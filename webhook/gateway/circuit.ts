// The circuit of one server, a sidecar or an adapter: after some failures in a row it is not asked for a while, so that nobody
// waits for what will fail. Then one request tries it.
import { Backoff } from '#serving/waiting/backoff.ts'

/** One lost packet must not stop an HPA. */
const FAILURES = 3

const FIRST_PAUSE_MS = 1_000

/** Less than the 15 s between two questions of an HPA: a recovery is noticed by the next one. */
const PAUSE_CAP_MS = 10_000

export interface CircuitTiming {
  /** Milliseconds of a monotonic clock. */
  readonly clock: () => number
  /** Uniform in [0, 1). */
  readonly random?: (() => number) | undefined
}

export interface CircuitOptions extends CircuitTiming {
  /** Says why the server could not be asked; `undefined` if it was, or if the error tells nothing about it. */
  readonly whyFailed: (error: unknown) => string | undefined
}

export class Circuit {
  readonly #clock: () => number
  readonly #whyFailed: CircuitOptions['whyFailed']
  readonly #backoff: Backoff
  #failures = 0
  #failedSince = new Date(0)
  #why = ''
  #pausedUntil = 0
  #isTried = false

  constructor({ clock, random, whyFailed }: CircuitOptions) {
    this.#clock = clock
    this.#whyFailed = whyFailed
    this.#backoff = new Backoff({ firstMs: FIRST_PAUSE_MS, capMs: PAUSE_CAP_MS, random })
  }

  get isOpen(): boolean {
    return this.#failures >= FAILURES
  }

  /** Why the server is not asked now, with the time of the first failure; `undefined` if it may be asked. */
  get refusal(): string | undefined {
    if (!this.isOpen || (!this.#isTried && this.#clock() >= this.#pausedUntil)) return undefined
    return `${this.#why}; so it is since ${this.#failedSince.toISOString()}, and it is tried again within 10 s`
  }

  /** Runs a request that {@link refusal} allows. Counts its failure, or forgets the earlier ones. */
  async run<Answer>(request: () => Promise<Answer>): Promise<Answer> {
    const isTrial = this.isOpen
    if (isTrial) this.#isTried = true
    try {
      const answer = await request()
      this.#failures = 0
      this.#backoff.reset()
      return answer
    } catch (error) {
      const why = this.#whyFailed(error)
      if (why !== undefined) this.#fail(why)
      throw error
    } finally {
      if (isTrial) this.#isTried = false
    }
  }

  #fail(why: string): void {
    if (this.#failures === 0) this.#failedSince = new Date()
    this.#failures += 1
    this.#why = why
    if (this.isOpen) this.#pausedUntil = this.#clock() + this.#backoff.next()
  }
}
