// Notices that the collector has died: that it no longer ends any attempt to read Flux, neither well nor badly. `/livez` fails
// then, and the kubelet starts the sidecar's container again. That leaves the broker alone, but takes the pod's DNS name away
// for a moment, so a collector that is only slow must never count as dead.
import type { TransitionLog } from './latest-snapshot.ts'
import type { CollectorObserver } from './observer.ts'
import { DEFAULT_PACE, type Pace } from './pace.ts'

/**
 * The most calls that one attempt makes one after the other, each with its own deadline: to connect (1), to open an instance
 * (2), three rounds of a reading (12), its details (15: jobspecs are read for a second, those of refused jobs in 10 steps), the
 * owner (1), drains (2); and room for some more.
 */
const CALLS_IN_A_ROW = 40

export interface LivenessOptions {
  readonly pace?: Partial<Pace> | undefined
  readonly log: TransitionLog
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
}

/** Told of the end of each attempt. */
export class Liveness implements CollectorObserver {
  readonly #limitMs: number
  readonly #log: TransitionLog
  readonly #now: () => number
  #endedAt: number
  #isLogged = false

  constructor({ pace, log, now }: LivenessOptions) {
    const { maxAgeMs, callTimeoutMs } = { ...DEFAULT_PACE, ...pace }
    // No pause is longer than a snapshot may be old, neither after a reading nor after a failure.
    this.#limitMs = maxAgeMs + CALLS_IN_A_ROW * callTimeoutMs
    this.#log = log
    this.#now = now
    this.#endedAt = now()
  }

  /** Why the collector counts as dead; `undefined` while it lives. Logged once. */
  get stalled(): string | undefined {
    const sinceMs = this.#now() - this.#endedAt
    if (sinceMs <= this.#limitMs) return undefined
    const reason = `no attempt to read Flux has ended for ${Math.floor(sinceMs / 1000)} s`
    if (!this.#isLogged) this.#log.warn({ reason }, 'the collector has died, please report it')
    this.#isLogged = true
    return reason
  }

  refreshed(): void {
    this.#ended()
  }

  failed(): void {
    this.#ended()
  }

  connected(): void {}

  disconnected(): void {}

  drained(): void {}

  #ended(): void {
    this.#endedAt = this.#now()
    this.#isLogged = false
  }
}
