// The errors of sidecar and gateway, of which kubectl passes nothing but words on: each as its own code makes it, and what the doctor
// takes it for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectFresh } from '#api/request.ts'
import { judge } from '../../../../../webhook/gateway/asking/verdict.ts'
import {
  failureOf,
  handshakeFailure,
  OTHER_NAME,
  strangeAnswer,
  tooSlow,
} from '../../../../../webhook/gateway/connections/peer-failure.ts'
import type { Peer } from '../../../../../webhook/gateway/peers/peer.ts'
import { STALE } from '../../../../support/app.ts'
import { healthyObjects, reportOf, unavailable } from '../cluster.ts'

const PEER: Peer = {
  ...{ namespace: 'default', minicluster: 'flux-sample', pod: 'a', uid: 'u', job: 'j' },
  ...{ address: '10.0.0.1', port: 8443, createdAt: 0, version: '0.2.0' },
}

function ofNode(code: string): Error {
  return Object.assign(new Error('failed'), { code })
}

function wordsOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return String(error instanceof Error ? error.message : error)
  }
  assert.fail('nothing was thrown')
}

/** What the gateway makes of a sidecar's Status. */
function refusal(code: number, message: string): string {
  const body = Buffer.from(JSON.stringify({ kind: 'Status', reason: 'Any', message }))
  const answer = { code, headers: { 'content-type': 'application/json' }, body }
  return wordsOf(() => judge('MiniCluster a/b', answer, { sidecar: '0.2.0', gateway: '0.2.0' }))
}

const UNREAD = wordsOf(() => expectFresh(STALE))

for (const [what, words, code] of [
  ['a certificate that has expired', of('CERT_HAS_EXPIRED'), 'sidecar-identity'],
  ['a certificate that is not valid yet', of('CERT_NOT_YET_VALID'), 'sidecar-identity'],
  ['a certificate of nobody', of('DEPTH_ZERO_SELF_SIGNED_CERT'), 'sidecar-identity'],
  ['a certificate of another name', of(OTHER_NAME), 'sidecar-identity'],
  ['a damaged certificate', of('CERT_REJECTED'), 'sidecar-identity'],
  ['a sidecar that does not know the gateway', refusal(401, 'no'), 'sidecar-identity'],
  ['a refused connection', failed('ECONNREFUSED'), 'sidecar-unreachable'],
  ['packets that are lost', failed('ETIMEDOUT'), 'sidecar-unreachable'],
  ['a node that is down', failed('EHOSTUNREACH'), 'sidecar-unreachable'],
  ['a connection that is closed', failed('ECONNRESET'), 'sidecar-unreachable'],
  ['a slow sidecar', tooSlow(PEER, 3_000), 'sidecar-unreachable'],
  ['a broker that is not read', UNREAD, 'flux-unread'],
  ['the same through the gateway', refusal(503, UNREAD), 'flux-unread'],
  ['another program', strangeAnswer(PEER, 'it speaks SSH').message, 'metrics-unanswered'],
  ['another refusal', refusal(429, 'too many'), 'metrics-unanswered'],
] as const) {
  test(`the words of ${what} are ${code}`, async () => {
    const objects = healthyObjects()
    objects.explain = unavailable(words)
    objects.metric = unavailable(words)
    const { findings } = await reportOf(objects)
    assert.deepEqual(
      findings.map((one) => one.code),
      [code],
      words,
    )
  })
}

function of(verdict: string): string {
  return failureOf(PEER, handshakeFailure(PEER, new Error('no'), verdict)).message
}

function failed(code: string): string {
  return failureOf(PEER, ofNode(code)).message
}
