import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { CA_LIFE_MS, HOUR_MS } from '../../../webhook/authority/certificate-authority.ts'
import {
  AWAY,
  accepts,
  bundleIn,
  CUSTOM_METRICS,
  change,
  issue,
  SECRET,
  SERVER_NAME,
  secretData,
  servingLeaf,
  setup,
  split,
  WEBHOOKS,
  webhookConfiguration,
} from './replicas.ts'

const DAY_MS = 24 * HOUR_MS

test('the first tick creates the CA, publishes it, and creates a serving certificate', async () => {
  const { cluster, clock, replica } = setup()
  const one = replica()
  assert.equal(await one.authority.tick(), true)
  const { bundle } = one.authority
  assert.equal(secretData(cluster)['current.crt'], bundle)
  assert.deepEqual(
    [bundleIn(cluster, WEBHOOKS), bundleIn(cluster, CUSTOM_METRICS)],
    [bundle, bundle],
  )
  assert.ok(accepts(bundle, servingLeaf(one), { at: clock.ms }))
  const { subjectAltName } = new X509Certificate(servingLeaf(one))
  assert.equal(subjectAltName, `DNS:${SERVER_NAME}, DNS:${SERVER_NAME}.cluster.local`)
  assert.deepEqual(one.messages(), [
    'created the CA',
    'issuing certificates with this CA',
    'published the CA bundle',
    'published the CA bundle',
    'created a serving certificate',
  ])
})

test('the Secret is opaque and has the label of the webhook', async () => {
  const { cluster, replica } = setup()
  await replica().authority.tick()
  const { type, metadata } = cluster.peek(SECRET) ?? {}
  assert.deepEqual(
    [type, metadata?.labels],
    ['Opaque', { 'app.kubernetes.io/managed-by': 'flux-metrics-webhook' }],
  )
})

test('a certificate is issued for the requested names, and is trusted', async () => {
  const { clock, replica } = setup()
  const { authority } = replica()
  await authority.tick()
  const leaf = await issue(authority)
  assert.ok(accepts(authority.bundle, leaf, { name: 'pod.flux-metrics', at: clock.ms }))
})

test('ticks with nothing to do write nothing', async () => {
  const { cluster, replica } = setup()
  const { authority } = replica()
  await authority.tick()
  cluster.calls.length = 0
  await authority.tick()
  assert.deepEqual(
    cluster.calls.filter(({ verb }) => verb !== 'get'),
    [],
  )
})

test('two replicas that start together create one CA', async () => {
  const { cluster, clock, replica } = setup()
  const [one, two] = [replica(), replica()]
  assert.deepEqual(await Promise.all([one.authority.tick(), two.authority.tick()]), [true, true])
  assert.equal(one.authority.bundle, two.authority.bundle)
  assert.equal(split(one.authority.bundle).length, 1)
  assert.equal(
    [...one.messages(), ...two.messages()].filter((m) => m === 'created the CA').length,
    1,
  )
  for (const each of [one, two]) {
    assert.ok(accepts(bundleIn(cluster, WEBHOOKS), servingLeaf(each), { at: clock.ms }))
  }
})

test('a replica that starts later uses the existing CA', async () => {
  const { replica } = setup()
  const [one, two] = [replica(), replica()]
  await one.authority.tick()
  await two.authority.tick()
  assert.equal(two.authority.bundle, one.authority.bundle)
  assert.deepEqual(two.messages(), [
    'issuing certificates with this CA',
    'created a serving certificate',
  ])
})

test('before the first tick nothing is ready, issued or trusted', async () => {
  const { replica } = setup()
  const { authority } = replica()
  assert.deepEqual(authority.readiness, { ready: false, message: 'no certificate yet' })
  assert.equal(authority.servingKeys, undefined)
  const refused = {
    code: 503,
    message: 'Cannot use the certificate authority: it is not created yet',
  }
  await assert.rejects(issue(authority), refused)
  assert.throws(() => authority.bundle, refused)
})

test('the serving certificate is renewed at two thirds of its life', async () => {
  const { clock, replica } = setup()
  const { authority } = replica()
  const seen: unknown[] = []
  authority.onServingKeys((keys) => seen.push(keys))
  await authority.tick()
  const first = authority.servingKeys
  clock.ms += 15.9 * HOUR_MS
  await authority.tick()
  assert.equal(authority.servingKeys, first)
  clock.ms += 0.2 * HOUR_MS
  await authority.tick()
  assert.notDeepEqual(authority.servingKeys, first)
  assert.deepEqual(seen, [first, authority.servingKeys])
})

test('the serving certificate is renewed while the API server is not reachable, and the webhook stays ready', async () => {
  const { cluster, clock, replica } = setup()
  const { authority, lines } = replica()
  await authority.tick()
  const first = authority.servingKeys
  cluster.failWith(AWAY)
  lines.length = 0
  for (let hour = 0; hour < 40; hour += 8) {
    clock.ms += 8 * HOUR_MS
    assert.equal(await authority.tick(), false)
    assert.ok(accepts(authority.bundle, servingLeaf({ authority }), { at: clock.ms }))
  }
  assert.notDeepEqual(authority.servingKeys, first)
  assert.match(authority.readiness.message, /^certificate until .*: Cannot reach the API server/)
  assert.equal(authority.readiness.ready, true)
  assert.equal(lines.filter(({ level }) => level === 'warn').length, 1)
})

test('a CA that expired while the API server was not reachable issues nothing, and the webhook is not ready', async () => {
  const { cluster, clock, replica } = setup()
  const { authority } = replica()
  await authority.tick()
  cluster.failWith(AWAY)
  clock.ms += CA_LIFE_MS
  await authority.tick()
  assert.equal(authority.readiness.ready, false)
  await assert.rejects(issue(authority), { code: 503, message: /it expired at/ })
  assert.throws(() => authority.bundle, { code: 503, message: /it expired at/ })
})

test('an expired CA is replaced at once', async () => {
  const { cluster, clock, replica } = setup()
  await replica().authority.tick()
  const expired = secretData(cluster)
  clock.ms += CA_LIFE_MS
  const late = replica()
  assert.equal(await late.authority.tick(), true)
  assert.notEqual(late.authority.bundle, expired['current.crt'])
  assert.equal(bundleIn(cluster, WEBHOOKS), late.authority.bundle)
  assert.ok(accepts(late.authority.bundle, servingLeaf(late), { at: clock.ms }))
  const { level, msg } = late.lines[1] ?? {}
  assert.deepEqual([level, msg], ['warn', 'replaced the CA: it had expired'])
})

test('a CA and a certificate made by a clock that was ahead are replaced when the clock is right', async () => {
  const { cluster, clock, replica } = setup()
  const { authority, messages } = replica()
  clock.ms += 400 * DAY_MS
  await authority.tick()
  clock.ms -= 400 * DAY_MS
  await assert.rejects(issue(authority), { code: 503, message: /it is not valid before/ })
  assert.equal(await authority.tick(), true)
  const { bundle } = authority
  assert.equal(bundleIn(cluster, WEBHOOKS), bundle)
  assert.ok(accepts(bundle, servingLeaf({ authority }), { at: clock.ms }))
  const leaf = await issue(authority)
  assert.ok(accepts(bundle, leaf, { name: 'pod.flux-metrics', at: clock.ms }))
  assert.ok(
    messages().includes(
      'replaced the CA: it is not valid yet, because the clock that made it was ahead',
    ),
  )
})

test('a serving certificate made by a clock that was ahead is replaced when the clock is right', async () => {
  const { clock, replica } = setup()
  const one = replica()
  await one.authority.tick()
  clock.ms += 30 * DAY_MS
  await one.authority.tick()
  clock.ms -= 30 * DAY_MS
  assert.equal(one.authority.readiness.ready, false)
  await one.authority.tick()
  assert.equal(one.authority.readiness.ready, true)
  assert.ok(accepts(one.authority.bundle, servingLeaf(one), { at: clock.ms }))
})

test('an invalid Secret is logged once and left as it is', async () => {
  const { cluster, replica } = setup()
  const { apiVersion, kind, ...metadata } = SECRET
  const broken = cluster.put({ apiVersion, kind, metadata, data: { password: 'aGVsbG8=' } })
  const { authority, lines } = replica()
  for (let round = 0; round < 3; round += 1) assert.equal(await authority.tick(), false)
  const reason =
    'Cannot use key "current.crt" of Secret "flux-metrics/flux-metrics-ca": ' +
    'expected a value, found none; correct the Secret, or delete it to have a new CA created'
  assert.deepEqual(authority.readiness, {
    ready: false,
    message: `no certificate yet: ${reason}`,
  })
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    [['error', 'cannot keep certificates up to date: trying again']],
  )
  assert.equal(cluster.peek(SECRET), broken)
  assert.equal(bundleIn(cluster, WEBHOOKS), '')
})

test('after an invalid Secret is deleted, a new CA is created', async () => {
  const { cluster, replica } = setup()
  const { apiVersion, kind, ...metadata } = SECRET
  cluster.put({ apiVersion, kind, metadata, data: {} })
  const { authority } = replica()
  await authority.tick()
  cluster.remove(SECRET)
  assert.equal(await authority.tick(), true)
  assert.equal(authority.readiness.ready, true)
})

test('a Secret that becomes invalid later stays as it is, and the known CA stays in use', async () => {
  const { cluster, clock, replica } = setup()
  const { authority } = replica()
  await authority.tick()
  const { bundle } = authority
  const broken = change(cluster, SECRET, (object) => ({ ...object, data: {} }))
  assert.equal(await authority.tick(), false)
  assert.equal(cluster.peek(SECRET), broken)
  assert.equal(authority.bundle, bundle)
  assert.equal(authority.readiness.ready, true)
  assert.ok(accepts(bundle, await issue(authority), { name: 'pod.flux-metrics', at: clock.ms }))
})

test('a deleted Secret is restored with the same CA', async () => {
  const { cluster, replica } = setup()
  const { authority, messages } = replica()
  await authority.tick()
  const before = secretData(cluster)
  cluster.remove(SECRET)
  assert.equal(await authority.tick(), true)
  assert.deepEqual(secretData(cluster), before)
  assert.equal(messages().at(-1), 'restored the Secret of the CA: it was deleted')
})

test('a bundle that was overwritten is restored by the next tick', async () => {
  const { cluster, replica } = setup()
  const [one, two] = [replica(), replica()]
  await one.authority.tick()
  await two.authority.tick()
  cluster.put(webhookConfiguration({ caBundle: 'dGhlaXJz' }))
  await two.authority.tick()
  assert.equal(bundleIn(cluster, WEBHOOKS), one.authority.bundle)
  assert.equal(two.messages().at(-1), 'restored the CA bundle: another writer had overwritten it')
})

test('start resolves when there is a certificate, and the ticks go on', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { cluster, clock, replica } = setup()
  const { authority } = replica()
  t.after(() => authority.close())
  cluster.failWith(AWAY)
  let started = false
  const start = authority.start().then(() => {
    started = true
  })
  await new Promise(setImmediate)
  assert.equal(started, false)
  cluster.failWith(undefined)
  t.mock.timers.tick(250)
  await start
  assert.ok(accepts(authority.bundle, servingLeaf({ authority }), { at: clock.ms }))
})

test('start resolves when it is closed before there is a certificate', async () => {
  const { cluster, replica } = setup()
  const { authority } = replica()
  cluster.failWith(AWAY)
  const start = authority.start()
  authority.close()
  await start
  assert.equal(authority.readiness.ready, false)
})
