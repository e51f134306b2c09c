import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unreachable } from '#identity/unreachable.ts'

const HOST = 'flux-metrics-webhook.flux-metrics.svc'

function said(name: string, message: string, code?: string): string {
  const error = Object.assign(new Error(message), { name }, code === undefined ? {} : { code })
  return unreachable(HOST, error).message.replace(
    `the authority at ${HOST} cannot be reached: `,
    '',
  )
}

/** As Node 24 and its OpenSSL say it. */
const FAILURES: readonly [code: string, message: string, what: RegExp][] = [
  [
    'ENOTFOUND',
    `getaddrinfo ENOTFOUND ${HOST}`,
    /^DNS does not know its name: its Service is gone, .*, or the pod has hostNetwork without dnsPolicy/,
  ],
  ['EAI_AGAIN', `getaddrinfo EAI_AGAIN ${HOST}`, /^DNS does not answer/],
  // Of a name with several addresses the error has no message.
  ['ECONNREFUSED', '', /^no webhook listens there: see whether its pods run/],
  ['ECONNRESET', 'socket hang up', /^the connection was closed before an answer/],
  ['EHOSTUNREACH', 'connect EHOSTUNREACH 10.96.0.7:443', /^no packets come back: .*NetworkPolicy/],
  ['ETIMEDOUT', '', /^no packets come back: .*NetworkPolicy/],
  [
    'CERT_HAS_EXPIRED',
    'certificate has expired (10)',
    /^its certificate has expired: compare the clocks/,
  ],
  [
    'CERT_NOT_YET_VALID',
    'certificate is not yet valid',
    /^its certificate is not valid yet: .*clocks/,
  ],
  [
    'EPROTO',
    'write EPROTO 40DD4CE24C7F0000:error:0A000410:SSL routines',
    /^the TLS handshake fails/,
  ],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'altnames', /^its certificate is for another name/],
  ['ERR_NEW_IN_NODE', 'use --an-option', /^the connection failed with ERR_NEW_IN_NODE$/],
]

for (const [code, message, what] of FAILURES) {
  test(`a failure with ${code} is told in words of ours, with the code`, () => {
    const why = said('Error', message, code)
    assert.match(why, what)
    assert.ok(why.endsWith(code) || why.endsWith(`(${code})`), why)
    assert.ok(message === '' || !why.includes(message), why)
  })
}

for (const code of [
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
]) {
  test(`a certificate that the CA of the pod does not verify (${code}) is told with the cure, not with Node's hint`, () => {
    const hint = 'if the root CA is installed locally, try running Node.js with --use-system-ca'
    const why = said('Error', `unable to verify the first certificate; ${hint}`, code)
    assert.match(
      why,
      /installed anew, with another CA\. Restore Secret flux-metrics-ca .* delete this pod/,
    )
    assert.doesNotMatch(why, /--use-system-ca/)
  })
}

test('a request that is given up, and a failure without a code, are told', () => {
  assert.match(said('AbortError', 'The operation was aborted'), /^there is no answer in time/)
  assert.equal(said('Error', 'something else'), '"something else"')
})
