// Bounds on what clients may take of an HTTPS server. Only the numbers: who holds clients to them is server.ts, and Node.

export interface ServerLimits {
  /** All headers of a request, in bytes. The aggregator's are under 2 KiB. */
  readonly headerBytes: number
  readonly handshakeMs: number
  readonly headersMs: number
  readonly requestMs: number
  /** How long an unused connection is kept: longer than the aggregator's 90 s, so that it is never the one to lose. */
  readonly keepAliveMs: number
  /**
   * How long nothing may move on a connection with a request: longer than reviews (3 s), certificates and the aggregator's
   * probes (5 s) are waited for; metrics come from memory. Node takes a half-written answer for moving the first time that
   * it looks: who does not read is gone after twice this, still within the 60 s after which an API server gives up.
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
