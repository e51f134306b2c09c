// Notices that the broker is gone for good, for pods in which the sidecar is an ordinary container: there the pod
// completes only when we end too. (A native sidecar is ended by the kubelet.)
import { existsSync } from 'node:fs'
import type { CollectorObserver } from '#collecting/observer.ts'

/**
 * A broker that exits removes its socket; one that crashes leaves it behind. A broker that exits with an error is
 * started again by the kubelet, after 10, 20, 40 seconds: within this time a new socket is there.
 */
const ABSENT_MS = 60_000

/** Watches the attempts to reach the broker; they are frequent enough to need no clock of its own. */
export class Departure implements CollectorObserver {
  readonly #path: string
  readonly #onGone: () => void
  readonly #absentMs: number
  readonly #now: () => number
  #wasConnected = false
  #absentSince: number | undefined

  /** @param onGone called once, when the socket of a broker we knew has been absent for long enough */
  constructor(options: {
    readonly path: string
    readonly onGone: () => void
    readonly absentMs?: number
    readonly now?: () => number
  }) {
    this.#path = options.path
    this.#onGone = options.onGone
    this.#absentMs = options.absentMs ?? ABSENT_MS
    this.#now = options.now ?? (() => performance.now())
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
    if (this.#now() - this.#absentSince < this.#absentMs) return
    this.#wasConnected = false
    this.#onGone()
  }

  refreshed(): void {}

  disconnected(): void {}

  drained(): void {}
}
