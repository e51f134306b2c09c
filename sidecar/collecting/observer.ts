// What the collector tells whoever counts: api/prometheus.ts, and tests. Calls return at once and never throw.

/** Notices of the collector's work. */
export interface CollectorObserver {
  /** A snapshot was read in `tookMs` milliseconds. */
  refreshed(tookMs: number): void
  /** A connection or a reading failed; `code` is a `FluxErrorCode`, or `INTERNAL` for a defect of ours. */
  failed(code: string): void
  /** A broker accepted us. */
  connected(): void
  /** That connection ended. */
  disconnected(): void
  /** Ranks were drained or given back, or the broker refused it. */
  drained(what: 'drain' | 'undrain', outcome: 'ok' | 'failed'): void
}
