// Limits on what clients may use of an HTTPS server. Only the numbers: server.ts and Node enforce them.

export interface ServerLimits {
  /** All headers of a request, in bytes. Those of the aggregator have less than 2 KiB. */
  readonly headerBytes: number
  readonly handshakeMs: number
  readonly headersMs: number
  readonly requestMs: number
  /**
   * How long an unused connection is kept: longer than the aggregator's 90 s, so that the aggregator never sends a request
   * on a connection that the server is closing.
   */
  readonly keepAliveMs: number
  /**
   * How long a connection with a request may be without traffic: longer than clients wait for reviews (3 s), certificates
   * and the aggregator's probes (5 s); metrics are answered from memory. Node counts a half-written answer as traffic the
   * first time it checks. So a client that does not read is disconnected after twice this time, still within the 60 s after
   * which an API server gives up.
   */
  readonly stallMs: number
  /** How often the time limits are checked. */
  readonly checkMs: number
  readonly concurrentRequests: number
  readonly connections: number
}

export const DEFAULT_LIMITS: ServerLimits = {
  headerBytes: 16 * 1024,
  handshakeMs: 5_000,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 100_000,
  stallMs: 15_000,
  checkMs: 1_000,
  concurrentRequests: 200,
  connections: 1_000,
}
