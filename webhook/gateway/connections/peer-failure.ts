// Why a peer gave no answer, in words that continue "its pod NAME …": people read them in `kubectl describe hpa`. Pure.
import { isIPv6 } from 'node:net'
import { quote } from '#serving/text.ts'
import type { Peer } from '../peers/peer.ts'

/** How an answer failed to come. */
export type FailureKind =
  /** There was no connection, or no whole answer in time. */
  | 'unreachable'
  /** The pod is not what it says to be. */
  | 'identity'
  /** Nobody has certified the pod: it is a copy, or its sidecar has no certificate yet. */
  | 'uncertified'
  /** Nobody waits any more, too early to blame the peer. */
  | 'abandoned'
  /** The answer breaks the rules. */
  | 'invalid'

export class PeerFailure extends Error {
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PeerFailure'
    this.kind = kind
  }
}

/** OpenSSL's codes for a certificate of the right CA, perhaps, at the wrong time: the pod may be the real one. */
const UNTIMELY: ReadonlyMap<string, string> = new Map([
  [
    'CERT_HAS_EXPIRED',
    'its certificate has expired: see the log of its sidecar and of the webhook',
  ],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet: compare the clocks of the nodes'],
])

const UNSIGNED: ReadonlySet<string> = new Set([
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Node's code, also for our own check. */
export const OTHER_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID'

/** OpenSSL's codes for an answer to the handshake that is not TLS. No sidecar gives one. */
const NO_TLS: ReadonlySet<string> = new Set([
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_WRONG_VERSION_NUMBER',
])

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'the connection was closed before the end of an answer'],
  ['EHOSTUNREACH', 'no route to its node'],
  ['ENETUNREACH', 'no route to its node'],
  ['EPIPE', 'the connection was closed before the end of an answer'],
  ['ERR_STREAM_PREMATURE_CLOSE', 'the connection was closed before the end of an answer'],
  ['ETIMEDOUT', 'no packets come back: is there a NetworkPolicy between them?'],
])

/** Where a peer is: `10.0.0.1:8443`, `[fd00::1]:8443`. */
export function placeOf({ address, port }: Peer): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`
}

/** A connection that failed in its handshake. @param verdict OpenSSL's code for the certificate, if there is one */
export function handshakeFailure(peer: Peer, cause: Error, verdict: string | undefined): Error {
  const code = codeOf(cause) ?? ''
  if (NO_TLS.has(code)) return strange(peer, 'it does not speak TLS', cause)
  if (verdict === undefined) return cause
  const untimely = UNTIMELY.get(verdict)
  if (untimely !== undefined) return silent(peer, untimely, cause)
  if (verdict === OTHER_NAME) {
    return strange(peer, `its certificate is for another name: ${cause.message}`, cause)
  }
  if (UNSIGNED.has(verdict)) {
    const why = `its certificate is not signed by the CA of the project (${verdict})`
    return strange(peer, why, cause, 'uncertified')
  }
  return strange(peer, `its certificate is not valid: ${quote(cause.message)} (${verdict})`, cause)
}

/** The failure for any error of a request. */
export function failureOf(peer: Peer, cause: unknown): PeerFailure {
  if (cause instanceof PeerFailure) return cause
  const code = codeOf(cause)
  if (code?.startsWith('HPE_') === true) {
    return new PeerFailure('invalid', `answers no valid HTTP at ${placeOf(peer)} (${code})`, {
      cause,
    })
  }
  const reason = REASONS.get(code ?? '') ?? `the connection failed with ${code ?? String(cause)}`
  return silent(peer, reason, cause)
}

/** An answer that no sidecar gives. Reading it costs more than a question: who gives it is not asked for a while. */
export function strangeAnswer(peer: Peer, what: string): PeerFailure {
  return new PeerFailure('unreachable', `does not answer as a sidecar at ${placeOf(peer)}: ${what}`)
}

/** @param ms since it was asked */
export function tooSlow(peer: Peer, ms: number): string {
  return `did not answer within ${seconds(ms)} s at ${placeOf(peer)}`
}

/** The `code` of an error of Node. */
export function codeOf(error: unknown): string | undefined {
  const hasCode = error instanceof Error && 'code' in error && typeof error.code === 'string'
  return hasCode ? String(error.code) : undefined
}

function silent(peer: Peer, reason: string, cause: unknown): PeerFailure {
  return new PeerFailure('unreachable', `does not answer at ${placeOf(peer)}: ${reason}`, { cause })
}

function strange(
  peer: Peer,
  reason: string,
  cause: unknown,
  kind: FailureKind = 'identity',
): PeerFailure {
  return new PeerFailure(kind, `is not its sidecar at ${placeOf(peer)}: ${reason}`, { cause })
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1).replace(/\.0$/, '')
}
