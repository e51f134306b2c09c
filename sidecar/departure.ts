// Notices that the broker has ended for good, for pods in which the sidecar is an ordinary container: such a pod
// completes only when the sidecar ends too. (The kubelet ends a native sidecar.) Does not end the program.
import { existsSync } from 'node:fs'
import type { CollectorObserver } from '#collecting/observer.ts'

/**
 * A broker that exits removes its socket; one that crashes leaves it behind. A broker that exits with an error is
 * started again by the kubelet after 10, 20, 40 seconds, so a new socket exists within this time.
 */
const ABSENT_MS = 60_000

/** Looks at the socket after each failed attempt to reach the broker. The attempts are frequent: no timer is needed. */
export class Departure implements CollectorObserver {
  readonly #path: string
  readonly #onGone: () => void

  readonly #now: () => number
  #wasConnected = false
  #absentSince: number | undefined

  /** @param onGone called once, when the socket of a broker that was connected has been absent for {@link ABSENT_MS} */
  constructor(options: {
    readonly path: string
    readonly onGone: () => void

    /** Milliseconds of a monotonic clock. */
    readonly now: () => number
  }) {
    this.#path = options.path
    this.#onGone = options.onGone
    this.#now = options.now
  }

  connected(): void {
    this.#wasConnected = true
    this.#absentSince = undefined
  }

  failed(): void {
    if (!this.#wasConnected) return
    if (existsSync(this.#path)) {
      this.#absentSince = undefined
      return
    }
    this.#absentSince ??= this.#now()
    if (this.#now() - this.#absentSince < ABSENT_MS) return
    this.#wasConnected = false
    this.#onGone()
  }

  refreshed(): void {}

  disconnected(): void {}

  drained(): void {}
}
