import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { LINGER_MS } from '../../webhook/health.ts'
import type { Webhook } from '../../webhook/webhook.ts'
import { createRequest, dns } from '../support/certificate-requests.ts'
import { createAuthority, type KeyPair } from '../support/certificates.ts'
import { ask } from '../support/https.ts'
import {
  job,
  leadBroker,
  miniCluster,
  NAMES,
  requestHeader,
  reviewer,
  TOKEN,
} from '../support/lead-broker.ts'
import { accepts, SERVER_NAME, secretData } from './authority/replicas.ts'
import { frontProxy, POD, post, review, start } from './running.ts'

/** The certificate that a client with this CA alone gets from the webhook. */
async function shown(webhook: Webhook, ca: string): Promise<string> {
  const { port } = webhook
  const socket = connect({ port, host: '127.0.0.1', servername: SERVER_NAME, ca })
  await once(socket, 'secureConnect')
  const certificate = socket.getPeerX509Certificate()
  socket.destroy()
  return certificate?.toString() ?? assert.fail('no certificate')
}

test('the webhook serves with a certificate of the CA in its Secret', async (t) => {
  const { cluster, webhook } = await start(t)
  const { 'current.crt': ca = '' } = secretData(cluster)
  assert.ok(accepts(ca, await shown(webhook, ca), { at: Date.now() }))
})

test('the webhook is ready, and says until when its certificate is valid', async (t) => {
  const { webhook } = await start(t)
  const { status, text } = await ask(webhook.port, '/readyz')
  assert.equal(status, 200)
  assert.match(text, /^ok: certificate until \d{4}-\d\d-\d\dT/)
})

test('the webhook adds a sidecar with the URL and the CA of the authority', async (t) => {
  const { cluster, webhook } = await start(t)
  const { status, text } = await review(webhook, POD)
  const { uid, allowed, patch } = JSON.parse(text).response
  assert.deepEqual([status, uid, allowed], [200, 'uid-of-review', true])
  const patched = Buffer.from(patch, 'base64').toString()
  assert.match(patched, /"https:\/\/flux-metrics-webhook\.flux-metrics\.svc:8444"/)
  const { 'current.crt': ca = '', 'current.key': key = '' } = secretData(cluster)
  assert.ok(patched.includes(JSON.stringify(ca)))
  assert.ok(!patched.includes(JSON.stringify(key)) && !patched.includes('PRIVATE KEY'))
})

test('the webhook keeps the connection of an API server open after a review', async (t) => {
  const { webhook } = await start(t)
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const { status, headers } = await review(webhook, POD, { agent })
  assert.deepEqual([status, headers.connection], [200, 'keep-alive'])
})

test('the webhook certifies the pod of a token, and sends it the CA, the front proxy and the gateway', async (t) => {
  const { cluster, webhook } = await start(t)
  const csr = await createRequest({ names: dns(...NAMES) })
  const headers = { authorization: `Bearer ${TOKEN}` }
  const { status, text } = await post(webhook, '/certificates', { csr }, { headers })
  assert.equal(status, 200)
  const { certificate, ...trust } = JSON.parse(text)
  const { 'current.crt': ca = '' } = secretData(cluster)
  assert.deepEqual(trust, {
    ca,
    requestHeader: {
      clientCa: `${frontProxy.cert.trimEnd()}\n${ca}`,
      allowedNames: ['front-proxy-client', 'flux-metrics-gateway'],
      usernameHeaders: ['X-Remote-User'],
      groupHeaders: ['X-Remote-Group'],
      extraHeaderPrefixes: ['X-Remote-Extra-'],
    },
  })
  for (const name of NAMES) assert.ok(accepts(ca, certificate, { name, at: Date.now() }))
})

test('the webhook logs no token and no key, at any level', async (t) => {
  const { cluster, webhook, lines } = await start(t)
  const csr = await createRequest()
  const headers = { authorization: `Bearer ${TOKEN}` }
  await post(webhook, '/certificates', { csr }, { headers })
  cluster.review = reviewer({})
  await post(webhook, '/certificates', { csr }, { headers })
  await review(webhook, POD)
  const log = lines.join('\n')
  assert.match(log, /"outcome":"Issued"/)
  assert.match(log, /"outcome":"TokenRefused"/)
  assert.ok(!log.includes(TOKEN) && !log.includes('PRIVATE KEY'))
})

test('the webhook serves but issues no certificates while the front proxy is not known', async (t) => {
  const { webhook } = await start(t, {}, [miniCluster(), job(), leadBroker()])
  assert.equal((await ask(webhook.port, '/readyz')).status, 200)
  const headers = { authorization: `Bearer ${TOKEN}` }
  const { status, text } = await post(webhook, '/certificates', {}, { headers })
  assert.deepEqual(
    [status, JSON.parse(text).message],
    [503, "Cannot issue an identity: the front proxy's authority is not known yet"],
  )
})

test('while the webhook ends, readiness is off and reviews are still answered', async (t) => {
  const { webhook } = await start(t)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const closed = webhook.close()
  const { status, text } = await ask(webhook.port, '/readyz')
  assert.deepEqual([status, text], [503, 'not ready: stopping\n'])
  assert.equal((await review(webhook, POD)).status, 200)
  t.mock.timers.tick(LINGER_MS)
  t.mock.timers.reset()
  await closed
  await assert.rejects(ask(webhook.port, '/livez'), { code: 'ECONNREFUSED' })
})

/** Files of a provided certificate. */
async function provide(t: TestContext, pair: KeyPair) {
  const folder = await mkdtemp(join(tmpdir(), 'webhook-'))
  t.after(() => rm(folder, { recursive: true }))
  const tls = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  const put = async ({ cert, key }: KeyPair) => {
    await writeFile(tls.cert, cert)
    await writeFile(tls.key, key)
  }
  await put(pair)
  return { tls, put }
}

const provider = await createAuthority('cert-manager')
const provided = () => provider.issue({ commonName: 'webhook', dns: [SERVER_NAME] })

test('with CERTIFICATES=files the webhook serves with the provided certificate, makes no CA and issues no certificates', async (t) => {
  const pair = await provided()
  const { tls } = await provide(t, pair)
  const { cluster, webhook } = await start(t, { tls })
  assert.equal(await shown(webhook, provider.cert), new X509Certificate(pair.cert).toString())
  const written = cluster.calls.filter(({ verb, kind }) => verb !== 'get' && kind !== 'Lease')
  const headers = { authorization: `Bearer ${TOKEN}` }
  const { status, text } = await post(webhook, '/certificates', {}, { headers })
  assert.deepEqual(
    [written, status, JSON.parse(text).message],
    [[], 503, 'Cannot issue an identity: this webhook issues no certificates (CERTIFICATES=files)'],
  )
  const { text: ready } = await ask(webhook.port, '/readyz')
  assert.equal(ready, 'ok: serving with the provided certificate\n')
})

test('with CERTIFICATES=files the webhook serves with the next certificate once it is provided', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { tls, put } = await provide(t, await provided())
  const { webhook, logged } = await start(t, { tls })
  const renewed = await provided()
  await put(renewed)
  const loaded = logged('loaded new certificates')
  t.mock.timers.tick(2_000)
  await loaded
  assert.equal(await shown(webhook, provider.cert), new X509Certificate(renewed.cert).toString())
})

test('the webhook does not start with files that it cannot use', async (t) => {
  const { tls } = await provide(t, { ...(await provided()), key: 'nonsense' })
  await assert.rejects(start(t, { tls }), {
    message: `Cannot use "${tls.key}": expected a private key in PEM`,
  })
})

test('the webhook tells a MiniCluster whose lead broker was created while no webhook was there', async (t) => {
  const labels = { app: 'flux-operator', 'batch.kubernetes.io/job-completion-index': '0' }
  const missed = { ...POD.metadata, labels, creationTimestamp: '2026-11-24T01:02:03Z' }
  const objects = [
    requestHeader(frontProxy.cert),
    miniCluster(),
    job(),
    { ...POD, metadata: missed },
  ]
  const pace = { firstMs: 0 }
  const { logged } = await start(t, {}, objects, pace)
  const { reason, minicluster } = await logged('a lead broker lacks its sidecar')
  assert.deepEqual([reason, minicluster], ['CreatedBefore', 'lammps'])
})

test('a webhook that ends gives its Lease back', async (t) => {
  const { webhook, cluster, lines, logged } = await start(t)
  if (!lines.join().includes('"leads"')) await logged('leads')
  await webhook.close({ lingerMs: 0 })
  const reference = { kind: 'Lease', name: 'flux-metrics-webhook', namespace: 'flux-metrics' }
  const lease = cluster.peek({ apiVersion: 'coordination.k8s.io/v1', ...reference })
  assert.partialDeepStrictEqual(lease, { spec: { holderIdentity: '' } })
})

test('a webhook that ends answers all reviews, and ends each connection before it closes idle ones', async (t) => {
  const { webhook } = await start(t)
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const connectionOf = async () => {
    const { status, headers } = await review(webhook, POD, { agent })
    assert.equal(status, 200)
    return headers.connection
  }
  const seen = new Set<unknown>()
  const closed = webhook.close({ lingerMs: 1_000 })
  while (!seen.has('close')) seen.add(await connectionOf())
  assert.deepEqual([...seen], ['keep-alive', 'close'])
  assert.equal(await connectionOf(), 'close')
  await closed
  await assert.rejects(review(webhook, POD, { agent }), { code: 'ECONNREFUSED' })
})
