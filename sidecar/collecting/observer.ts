// The calls by which the collector reports its work to Prometheus counters, to the shutdown and to tests.

/** Observes the collector. Its methods return at once and never throw. */
export interface CollectorObserver {
  /** A snapshot was read in `tookMs` milliseconds. */
  refreshed(tookMs: number): void
  /** A connection or a reading failed; `code` is a `FluxErrorCode`, or `INTERNAL` for a defect of the sidecar. */
  failed(code: string): void
  /** A broker accepted the connection. */
  connected(): void
  /** That connection ended. */
  disconnected(): void
  /** Ranks were drained or undrained, or the broker refused it. */
  drained(call: 'drain' | 'undrain', outcome: 'ok' | 'failed'): void
}
