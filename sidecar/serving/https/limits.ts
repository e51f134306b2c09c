// Limits on what clients may use of an HTTPS server. Only the numbers: client-group.ts, connections.ts and Node enforce
// them.
import type { ArrivalLimits } from './arrivals.ts'

/** What the clients of one kind (see connections.ts) may use together, and what one address of theirs may use. */
export interface GroupLimits {
  readonly connections: number
  readonly peerConnections: number
  /** Those in their handshake, until the address is known: an API server may begin many at once. Default: as many as connections. */
  readonly peerHandshakes?: number
  /** Requests without a complete answer. */
  readonly requests: number
  readonly peerRequests: number
}

export interface ServerLimits extends GroupLimits {
  /** What known clients (see server.ts) may use together. Default: as much as all others. */
  readonly known?: { readonly connections: number; readonly requests: number }
  /** New connections, but for those of known clients. A handshake costs a millisecond of the event loop. */
  readonly arrivals: ArrivalLimits
  /** All headers of a request, in bytes. Those of the aggregator have less than 2 KiB. */
  readonly headerBytes: number
  readonly handshakeMs: number
  /** From the handshake, or from the first byte of a later request, to the end of its headers. */
  readonly headersMs: number
  readonly requestMs: number
  /**
   * How long an unused connection is kept: longer than the aggregator's 90 s, so that the aggregator never sends a request
   * on a connection that the server is closing.
   */
  readonly keepAliveMs: number
  /**
   * From the headers of a request to the last byte that its client has taken of the answer, however slowly it reads: longer
   * than clients wait for reviews (3 s), certificates and the aggregator's probes (5 s). Metrics are answered from memory.
   */
  readonly answerMs: number
  /** How often the time limits are checked. */
  readonly checkMs: number
  /**
   * What a connection of a stranger may send, handshake included, where it ends after one request without a body. Messages of TLS
   * that no request is made of, such as new keys, take 30 µs for 27 bytes, and nothing else counts them.
   */
  readonly strangerBytes: number
  /** Requests of one connection without a complete answer. API servers, kubelets and Prometheus send the next one after it. */
  readonly pipelined: number
}

/** An API server whose CA is not known yet sends some 3 KB each time, and is told why it is refused. 92 KB count for four minutes. */
export const UNKNOWN_CERTIFICATES = { burst: 32 * 1024, perSecond: 256 }

/**
 * A TLS connection takes 90 KiB, so that 128 strangers fit into the container beside 10,000 nodes. Kubelets and Prometheus
 * use one or two connections of each address.
 */
export const DEFAULT_LIMITS: ServerLimits = {
  headerBytes: 16 * 1024,
  handshakeMs: 5_000,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 100_000,
  answerMs: 20_000,
  checkMs: 1_000,
  pipelined: 8,
  strangerBytes: 64 * 1024,
  connections: 128,
  peerConnections: 32,
  peerHandshakes: 16,
  requests: 128,
  peerRequests: 16,
  arrivals: {
    peer: { burst: 200, perSecond: 20 },
    known: { burst: 512, perSecond: 20 },
    reserved: { burst: 10, perSecond: 1 },
    shared: { burst: 200, perSecond: 50 },
    unknownCertificates: UNKNOWN_CERTIFICATES,
  },
}
