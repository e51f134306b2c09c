// Why the authority gives no answer, in words: what is wrong, and what to do. A person reads them in the log and in every
// 503, so that Node's and OpenSSL's own words, which name options of Node, are not passed on. Pure.
import { quote } from '#serving/text.ts'

/** Codes of OpenSSL for a chain that ends at no CA that the client knows. */
export const UNKNOWN_CA: ReadonlySet<string> = new Set([
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

const LOST = 'no packets come back: is there a NetworkPolicy, or a node that is down, between them?'

const NO_TLS = 'the TLS handshake fails: does something else than the webhook answer there?'

const REASONS: ReadonlyMap<string, string> = new Map([
  [
    'ABORT_ERR',
    `there is no answer in time: is the webhook overloaded, or a NetworkPolicy between them?`,
  ],
  [
    'CERT_HAS_EXPIRED',
    'its certificate has expired: compare the clocks of the nodes, and see the log of the webhook',
  ],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet: compare the clocks of the nodes'],
  ['EAI_AGAIN', 'DNS does not answer: see the pods of the DNS of the cluster'],
  ['ECONNREFUSED', 'no webhook listens there: see whether its pods run'],
  ['ECONNRESET', 'the connection was closed before an answer: see the log of the webhook'],
  ['EHOSTUNREACH', LOST],
  ['ENETUNREACH', LOST],
  [
    'ENOTFOUND',
    'DNS does not know its name: its Service is gone, so the webhook must be installed again, or the pod has hostNetwork ' +
      'without dnsPolicy ClusterFirstWithHostNet, and asks the DNS of its node',
  ],
  ['EPIPE', 'the connection was closed before an answer: see the log of the webhook'],
  ['EPROTO', NO_TLS],
  ['ERR_SSL_WRONG_VERSION_NUMBER', NO_TLS],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'its certificate is for another name: does something else than the webhook answer there?',
  ],
  ['ETIMEDOUT', LOST],
])

const OTHER_CA =
  'its certificate is not signed by a CA that this pod knows: the webhook was installed anew, with another CA. ' +
  'Restore Secret flux-metrics-ca of the earlier installation, or delete this pod, which ends the jobs of the MiniCluster'

/** @param error of a request to it that has no answer, or not a whole one */
export function unreachable(host: string, error: Error): Error {
  return new Error(`the authority at ${host} cannot be reached: ${whyOf(error)}`, { cause: error })
}

function whyOf(error: Error): string {
  const code = causeCode(error)
  if (code === undefined) return quote(error.message)
  if (UNKNOWN_CA.has(code)) return `${OTHER_CA} (${code})`
  const reason = REASONS.get(code)
  return reason === undefined ? `the connection failed with ${code}` : `${reason} (${code})`
}

/** A name with several addresses fails with the errors of all: each address is another replica, and fails alike. */
export function causeCode(error: Error): string | undefined {
  if (error.name === 'AbortError') return 'ABORT_ERR'
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
