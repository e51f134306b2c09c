// Holds the latest snapshot, or the reason why it must not be served: it is too old, or a reading failed. Logs each change
// between fresh and stale once.
import type { Reading, Snapshot } from '#scaling/snapshot.ts'

/** The methods of a pino logger that are used here. */
export interface TransitionLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** Takes notes of what is served. */
export interface PastNotes {
  noteSnapshot(snapshot: Snapshot): void
  noteError(reason: string): void
}

/** The most reasons that are remembered since the last good reading. Each is logged once, even if it returns. */
const MAX_REASONS = 16

/** Judges the age by two clocks: a suspended machine stops one of them, and an administrator may set the other. */
export class LatestSnapshot {
  readonly #maxAgeMs: number
  readonly #log: TransitionLog
  readonly #past: PastNotes | undefined
  readonly #reasons = new Set<string>()
  #snapshot: Snapshot | undefined
  #readAt = 0
  #staleReason: string | undefined = 'not connected to the broker yet'
  #expiry: NodeJS.Timeout | undefined

  constructor(maxAgeMs: number, log: TransitionLog, past?: PastNotes) {
    this.#maxAgeMs = maxAgeMs
    this.#log = log
    this.#past = past
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

  /** @param followedMs how long the snapshot took to be made after the reading */
  replace(snapshot: Snapshot, followedMs = 0): void {
    const before = this.#staleReason
    const ageMs = snapshot.tookMs + followedMs
    this.#snapshot = snapshot
    this.#readAt = performance.now() - ageMs
    this.#staleReason = undefined
    this.#reasons.clear()
    clearTimeout(this.#expiry)
    const leftMs = Math.max(0, this.#maxAgeMs - ageMs)
    this.#expiry = setTimeout(() => this.markStale(this.#tooOld()), leftMs)
    this.#expiry.unref()
    this.#past?.noteSnapshot(snapshot)
    if (before !== undefined) {
      const { nodes, tookMs } = snapshot
      this.#log.info({ nodes, tookMs: Math.round(tookMs) }, 'stale → fresh: read Flux')
    }
  }

  /** From now on no snapshot is served, until the next one. */
  markStale(reason: string): void {
    const wasFresh = this.#staleReason === undefined
    this.#staleReason = reason
    clearTimeout(this.#expiry)
    this.#past?.noteError(reason)
    if (wasFresh) {
      const since = this.#snapshot?.takenAt
      this.#log.warn({ reason, since }, 'fresh → stale: metrics are errors until Flux is read')
    } else if (!this.#reasons.has(reason) && this.#reasons.size < MAX_REASONS) {
      this.#log.info({ reason }, 'still stale')
    }
    this.#reasons.add(reason)
  }

  close(): void {
    clearTimeout(this.#expiry)
  }

  #age(snapshot: Snapshot): number {
    return Math.max(performance.now() - this.#readAt, Date.now() - snapshot.takenAt.getTime())
  }

  #tooOld(): string {
    return `the last reading of Flux is older than ${this.#maxAgeMs / 1000} s`
  }
}
