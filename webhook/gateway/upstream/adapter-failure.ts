// Why an adapter gives no answer, in words. `kubectl describe hpa` shows them. Pure.
import { causeCode, UNKNOWN_CA } from '#identity/unreachable.ts'
import { type StatusError, unavailable } from '#serving/status.ts'
import { shorten } from '#serving/text.ts'
import type { UpstreamTarget } from './upstream-target.ts'

const CLOSED = 'it closed the connection before its answer: see its log'
const NO_TLS = 'the TLS handshake fails: does something else answer there?'
const LOST = 'no packets come back: is there a NetworkPolicy, or a node that is down, between them?'

const REASONS: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet: compare the clocks of the nodes'],
  ['EAI_AGAIN', 'DNS does not answer'],
  ['ECONNREFUSED', 'nothing listens there: see whether its pods run'],
  ['ECONNRESET', CLOSED],
  ['EHOSTUNREACH', LOST],
  ['ENETUNREACH', LOST],
  ['ENOTFOUND', 'DNS does not know its name: is its Service gone?'],
  ['EPIPE', CLOSED],
  ['EPROTO', NO_TLS],
  ['ERR_SSL_WRONG_VERSION_NUMBER', NO_TLS],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
  ['ETIMEDOUT', LOST],
])

/** What is wrong, without who: it follows the name of the adapter and a colon. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the reason is not known'
  const code = causeCode(error)
  if (code === undefined) return shorten(error.message)
  if (UNKNOWN_CA.has(code))
    return `its certificate is not signed by the CA that is configured (${code})`
  const reason = REASONS.get(code)
  return reason === undefined ? `the connection failed with ${code}` : `${reason} (${code})`
}

/** An answer that is not read to its end. */
export function tooLong(maxBytes: number): string {
  return `its answer has more than ${maxBytes / 2 ** 20} MiB`
}

/** `Service monitoring/prometheus-adapter` */
export function nameOf({ namespace, service }: UpstreamTarget): string {
  return `Service ${namespace}/${service}`
}

/** The words of an APIService whose backend is down, and then ours. */
export function adapterUnavailable(target: UpstreamTarget, reason: string): StatusError {
  return unavailable(
    `the server is currently unable to handle the request: ${nameOf(target)} has these metrics: ${reason}`,
  )
}
