// The headers that go through the gateway: of a request to an adapter, and of its answer. All others stay here, those between two
// servers (RFC 9110 §7.6.1) among them.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

/**
 * What an adapter needs of a request. Whoever asks is not named: the API server has authorized the caller for exactly this path,
 * and to the adapter we are who asks.
 */
const PASSED_ON = ['accept', 'accept-encoding', 'audit-id'] as const

/** `Retry-After` too: the adapter, not we, says that it is worth to ask again. */
const PASSED_BACK = [
  'content-type',
  'content-encoding',
  'content-length',
  'cache-control',
  'retry-after',
] as const

/** What adapters answer. No page and no script comes out of the cluster by us. */
const TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/vnd.kubernetes.protobuf',
  'application/yaml',
  'text/plain',
])

export function headersForAdapter(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return pick(headers, PASSED_ON)
}

export function headersForClient(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return pick(headers, PASSED_BACK)
}

/** @param type in lower case, without parameters */
export function isPassedBack(type: string): boolean {
  return TYPES.has(type)
}

function pick(headers: IncomingHttpHeaders, names: readonly string[]): OutgoingHttpHeaders {
  const picked: OutgoingHttpHeaders = {}
  for (const name of names) {
    const value = headers[name]
    if (value !== undefined) picked[name] = String(value)
  }
  return picked
}
