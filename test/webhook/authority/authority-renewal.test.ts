import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { HttpsServer } from '#serving/https/server.ts'
import { createLogger } from '#serving/log.ts'
import { CA_TERM_MS, HOUR_MS } from '../../../webhook/authority/certificate-authority.ts'
import type { Cluster } from '../../../webhook/kubernetes/cluster.ts'
import {
  accepts,
  bundleIn,
  CUSTOM_METRICS,
  change,
  issue,
  renew,
  replica,
  SECRET,
  SERVER_NAME,
  secretData,
  servingLeaf,
  setup,
  split,
  WEBHOOKS,
} from './replicas.ts'

const DAY_MS = 24 * HOUR_MS

test('a replica with an old state does not overwrite what another one published', async () => {
  const { cluster, clock, replica } = setup()
  const [one, two] = [replica(), replica()]
  await one.authority.tick()
  await two.authority.tick()
  renew(cluster, 'now')
  clock.ms += 5_000
  await one.authority.tick()
  const published = bundleIn(cluster, WEBHOOKS)
  assert.equal(split(published).length, 2)
  await two.authority.tick()
  assert.equal(bundleIn(cluster, WEBHOOKS), published)
  assert.ok(!two.messages().includes('published the CA bundle'))
})

test('a bundle that another replica publishes during a tick stays', async () => {
  const { cluster, clock, replica: create } = setup()
  const one = create()
  await one.authority.tick()
  let published: string | undefined
  const meddled: Cluster = {
    read: async (reference) => {
      const object = await cluster.read(reference)
      if (reference.kind === 'Secret' && published === undefined) {
        renew(cluster, 'now')
        await one.authority.tick()
        published = bundleIn(cluster, WEBHOOKS)
      }
      return object
    },
    list: (collection, options) => cluster.list(collection, options),
    create: (object) => cluster.create(object),
    replace: (object) => cluster.replace(object),
    apply: (object) => cluster.apply(object),
  }
  await replica(meddled, clock).authority.tick()
  assert.equal(split(published ?? '').length, 2)
  assert.equal(bundleIn(cluster, WEBHOOKS), published)
})

test('two replicas that renew together create one next CA, and both know it', async () => {
  const { cluster, clock, replica: create } = setup()
  const replicas = [create(), create()]
  await Promise.all(replicas.map(({ authority }) => authority.tick()))
  renew(cluster, 'now')
  clock.ms += 5_000
  await Promise.all(replicas.map(({ authority }) => authority.tick()))
  const data = secretData(cluster)
  const bundle = `${data['current.crt']}${data['next.crt']}`
  assert.deepEqual(
    replicas.map(({ authority }) => authority.bundle),
    [bundle, bundle],
  )
  assert.equal(bundleIn(cluster, WEBHOOKS), bundle)
})

test('a renewal leaves what others have written to the Secret', async () => {
  const { cluster, replica: create } = setup()
  const { authority } = create()
  await authority.tick()
  renew(cluster, 'now')
  const { metadata } = change(cluster, SECRET, (object) => {
    const annotations = { ...object.metadata.annotations, theirs: 'yes' }
    const labels = { ...object.metadata.labels, theirs: 'yes' }
    return { ...object, metadata: { ...object.metadata, annotations, labels } }
  })
  await authority.tick()
  const { resourceVersion: _version, ...renewed } = cluster.peek(SECRET)?.metadata ?? {}
  const { resourceVersion: _other, ...before } = metadata ?? {}
  const annotations = { ...before.annotations, 'flux-metrics/renewed': 'now' }
  assert.deepEqual(renewed, { ...before, annotations })
})

test('a requested renewal is done once', async () => {
  const { cluster, clock, replica } = setup()
  const { authority, messages } = replica()
  await authority.tick()
  const old = authority.bundle
  const { serialNumber } = new X509Certificate(servingLeaf({ authority }))
  renew(cluster, 'now')
  for (let ms = 0; ms < 60_000; ms += 5_000) {
    clock.ms += 5_000
    await authority.tick()
  }
  assert.equal(cluster.peek(SECRET)?.metadata?.annotations?.['flux-metrics/renewed'], 'now')
  const [first, second, ...more] = split(authority.bundle)
  assert.deepEqual([first?.toString(), more], [old, []])
  assert.equal(secretData(cluster)['current.crt'], second?.toString())
  assert.notEqual(new X509Certificate(servingLeaf({ authority })).serialNumber, serialNumber)
  assert.deepEqual(messages().slice(5), [
    'created the next CA: it will sign as soon as its certificate is published everywhere',
    'published the CA bundle',
    'published the CA bundle',
    'switched to the next CA',
    'issuing certificates with this CA',
    'created a serving certificate',
  ])
})

test('the key of the old CA is deleted at the switch', async () => {
  const { cluster, clock, replica } = setup()
  const { authority } = replica()
  await authority.tick()
  const { 'current.key': key = assert.fail() } = secretData(cluster)
  renew(cluster, 'now')
  for (let ms = 0; ms < 30_000; ms += 5_000) {
    clock.ms += 5_000
    await authority.tick()
  }
  const data = secretData(cluster)
  assert.deepEqual(Object.keys(data), [
    'current.crt',
    'current.key',
    'previous.json',
    'crossed.json',
  ])
  assert.ok(!JSON.stringify(data).includes(key))
})

test('a switch waits for an object that cannot be read', async () => {
  const { cluster, clock, replica } = setup()
  const { authority } = replica()
  await authority.tick()
  renew(cluster, 'now')
  for (let ms = 0; ms < 60_000; ms += 5_000) {
    clock.ms += 5_000
    cluster.failAt(3)
    assert.equal(await authority.tick(), false)
  }
  assert.equal(secretData(cluster)['current.crt'], split(authority.bundle)[0]?.toString())
})

test('several renewals within a day keep every CA that may still have a valid leaf', async () => {
  const { cluster, clock, replica } = setup()
  const { authority } = replica()
  await authority.tick()
  const leafs: string[] = []
  for (const wish of ['1', '2', '3']) {
    leafs.push(await issue(authority))
    renew(cluster, wish)
    for (let ms = 0; ms < 30_000; ms += 5_000) {
      clock.ms += 5_000
      await authority.tick()
    }
  }
  assert.equal(split(authority.bundle).length, 4)
  for (const leaf of leafs) {
    assert.ok(accepts(authority.bundle, leaf, { name: 'pod.flux-metrics', at: clock.ms }))
  }
  clock.ms += 25 * HOUR_MS
  await authority.tick()
  assert.equal(authority.bundle, secretData(cluster)['current.crt'])
})

test('during a renewal by age, clients that trust the published bundle trust two replicas at every step', async () => {
  const { cluster, clock, replica } = setup()
  await replica().authority.tick()
  const { 'current.crt': first = assert.fail() } = secretData(cluster)
  const due = clock.ms + CA_TERM_MS
  clock.ms = due - 2 * DAY_MS
  const replicas = [replica(), replica()]
  for (const { authority } of replicas) await authority.tick()
  const certificates = new Set<string>()
  const bundles: string[] = []
  let leafs: { readonly leaf: string; readonly end: number }[] = []
  while (clock.ms < due + 2 * DAY_MS) {
    // One tick at a time, where the state changes.
    const busy = 'next.crt' in secretData(cluster)
    clock.ms += busy ? 5_000 : 4 * HOUR_MS
    // Either replica may be the first.
    for (const { authority } of busy ? replicas : replicas.toReversed()) {
      const { validToDate } = new X509Certificate(servingLeaf({ authority }))
      leafs.push({ leaf: await issue(authority), end: validToDate.getTime() })
      await authority.tick()
      const bundle = bundleIn(cluster, WEBHOOKS)
      assert.equal(bundleIn(cluster, CUSTOM_METRICS), bundle)
      for (const each of replicas) assert.ok(accepts(bundle, servingLeaf(each), { at: clock.ms }))
      leafs = leafs.filter(({ end }) => end > clock.ms)
      for (const { leaf } of leafs) {
        assert.ok(accepts(bundle, leaf, { name: 'pod.flux-metrics', at: clock.ms }))
      }
      certificates.add(secretData(cluster)['current.crt'] ?? '')
      if (bundle !== bundles.at(-1)) bundles.push(bundle)
    }
  }
  const [, second = assert.fail()] = certificates
  assert.deepEqual([...certificates], [first, second])
  assert.deepEqual(bundles, [first, first + second, second])
})

/** Connects as a client that trusts only `ca`. @returns the serial number of the server's certificate */
async function handshake(t: TestContext, port: number, ca: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect({ port, host: '127.0.0.1', ca, servername: SERVER_NAME })
  t.after(() => socket.destroy())
  socket.on('secureConnect', () => resolve(socket.getPeerCertificate().serialNumber.toLowerCase()))
  socket.on('error', reject)
  return promise
}

test('a server needs no restart when the CA is renewed', async (t) => {
  const { cluster, clock, replica } = setup()
  const { authority } = replica()
  await authority.tick()
  const { servingKeys = assert.fail() } = authority
  const server = new HttpsServer({
    handler: (_request, response) => response.end(),
    credentials: { ...servingKeys, clientCa: undefined },
    log: createLogger('silent'),
  })
  t.after(() => server.drain(0))
  authority.onServingKeys((keys) => server.update({ ...keys, clientCa: undefined }))
  const { port } = await server.listen({ port: 0, address: '127.0.0.1' })
  const serials = new Set([await handshake(t, port, bundleIn(cluster, WEBHOOKS))])
  renew(cluster, 'now')
  for (let ms = 0; ms < 30_000; ms += 5_000) {
    clock.ms += 5_000
    await authority.tick()
    serials.add(await handshake(t, port, bundleIn(cluster, WEBHOOKS)))
  }
  assert.equal(serials.size, 2)
})
