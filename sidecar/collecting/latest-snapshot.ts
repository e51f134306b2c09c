// What may be said right now: the latest snapshot while it is young and unquestioned, else why not. Logs each change once.
import type { Reading, Snapshot } from '#scaling/snapshot.ts'

/** The part of a pino logger that is needed here. */
export interface TransitionLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** Reasons remembered since the last good reading: a flapping cause is logged once, not at each flap. */
const MAX_REASONS = 16

/** Holds the latest snapshot and judges its age, by the clock that a suspended machine or a set clock fools least. */
export class LatestSnapshot {
  readonly #maxAgeMs: number
  readonly #log: TransitionLog
  readonly #reasons = new Set<string>()
  #snapshot: Snapshot | undefined
  #learntAt = 0
  #staleReason: string | undefined = 'not connected to the broker yet'
  #expiry: NodeJS.Timeout | undefined

  constructor(maxAgeMs: number, log: TransitionLog) {
    this.#maxAgeMs = maxAgeMs
    this.#log = log
  }

  reading(): Reading {
    const snapshot = this.#snapshot
    const since = snapshot?.takenAt
    if (this.#staleReason !== undefined) return { kind: 'stale', reason: this.#staleReason, since }
    if (snapshot === undefined || this.#age(snapshot) > this.#maxAgeMs) {
      return { kind: 'stale', reason: this.#tooOld(), since }
    }
    return { kind: 'fresh', snapshot }
  }

  learn(snapshot: Snapshot): void {
    const before = this.#staleReason
    this.#snapshot = snapshot
    this.#learntAt = performance.now() - snapshot.tookMs
    this.#staleReason = undefined
    this.#reasons.clear()
    clearTimeout(this.#expiry)
    const leftMs = Math.max(0, this.#maxAgeMs - snapshot.tookMs)
    this.#expiry = setTimeout(() => this.lose(this.#tooOld()), leftMs)
    this.#expiry.unref()
    if (before !== undefined) {
      const { nodes, tookMs } = snapshot
      this.#log.info({ nodes, tookMs: Math.round(tookMs) }, 'stale → fresh: read Flux')
    }
  }

  /** From now on there is no answer, until the next snapshot. */
  lose(reason: string): void {
    const wasFresh = this.#staleReason === undefined
    this.#staleReason = reason
    clearTimeout(this.#expiry)
    if (wasFresh) this.#log.warn({ since: this.#snapshot?.takenAt }, `fresh → stale: ${reason}`)
    else if (!this.#reasons.has(reason) && this.#reasons.size < MAX_REASONS) {
      this.#log.info({}, `still stale: ${reason}`)
    }
    this.#reasons.add(reason)
  }

  close(): void {
    clearTimeout(this.#expiry)
  }

  #age(snapshot: Snapshot): number {
    return Math.max(performance.now() - this.#learntAt, Date.now() - snapshot.takenAt.getTime())
  }

  #tooOld(): string {
    return `the last reading of Flux is older than ${this.#maxAgeMs / 1000} s`
  }
}
