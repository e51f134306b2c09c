import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Handshakes } from '../../../../webhook/gateway/connections/handshakes.ts'
import { createAuthority } from '../../../support/certificates.ts'
import { answering, certify, errorOf, NAME, podOf, serve, setup } from '../asking/fleet.ts'

const OTHER = { namespace: 'team-b', minicluster: 'flux-sample' }
const PROVED = { ...NAME, minicluster: 'proved' }
const UNPROVED = { ...NAME, minicluster: 'unproved' }
const REFUSED = /is not asked now: a pod of its namespace has sent a long chain/

test('a namespace has four handshakes at once, and leaves others theirs', async () => {
  const handshakes = new Handshakes(() => 0)
  const peer = podOf(NAME, 1)
  const { promise, resolve } = Promise.withResolvers<void>()
  let begun = 0
  const shakeHands = () => {
    begun += 1
    return promise
  }
  const all = Array.from({ length: 6 }, () => handshakes.run(peer, shakeHands))
  assert.equal(begun, 4)
  await handshakes.run(podOf(OTHER, 1), async () => {})
  resolve()
  await Promise.all(all)
  assert.equal(begun, 6)
})

test('a long chain ends the handshakes of its namespace for five minutes; short ones do not', async () => {
  let now = 0
  const handshakes = new Handshakes(() => now)
  const peer = podOf(NAME, 1)
  for (let failures = 0; failures < 1_000; failures += 1) handshakes.failed(peer, 4_000)
  await handshakes.run(peer, async () => {})
  handshakes.failed(peer, 92_000)
  await assert.rejects(
    handshakes.run(peer, async () => {}),
    { kind: 'abandoned' },
  )
  now = 290_000
  await assert.rejects(handshakes.run(peer, async () => {}))
  now = 300_000
  await handshakes.run(peer, async () => {})
})

test('pods that send long chains of certificates cost only the unproved ones of their namespace', async (t) => {
  const stranger = await createAuthority('stranger')
  const { cert, key } = await stranger.issue({ commonName: 'sidecar' })
  const long = [cert, ...Array<string>(100).fill(stranger.cert)].join('\n')
  const hostile = await serve(t, { cert: long, key }, answering(NAME))
  const other = await serve(t, await certify(OTHER), answering(OTHER))
  const proved = await serve(t, await certify(PROVED), answering(PROVED))
  const unproved = await serve(t, await certify(UNPROVED), answering(UNPROVED))
  const pods = [
    podOf(NAME, hostile.port),
    podOf(OTHER, other.port),
    podOf(PROVED, proved.port),
    podOf(UNPROVED, unproved.port),
  ]
  const { ask, outcomes } = setup(t, { pods })
  await ask(PROVED)
  assert.match((await errorOf(ask(NAME)))[1], /is not its sidecar/)
  const [code, message] = await errorOf(ask(UNPROVED))
  assert.equal(code, 503)
  assert.match(message, REFUSED)
  for (const connection of proved.connections) connection.destroy()
  await ask(PROVED)
  await ask(OTHER)
  assert.deepEqual([hostile.connections.size, unproved.requests.length], [0, 0])
  assert.equal(outcomes.filter(([outcome]) => outcome === 'answered').length, 3)
})
