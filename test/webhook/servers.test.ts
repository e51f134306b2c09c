import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { ClusterError } from '../../webhook/kubernetes/cluster.ts'
import { startWebhook } from '../../webhook/webhook.ts'
import { freePort } from '../bench/processes.ts'
import { awaitedLog } from '../support/awaited-log.ts'
import { createAuthority } from '../support/certificates.ts'
import { ask } from '../support/https.ts'
import { TOKEN } from '../support/lead-broker.ts'
import { MemoryCluster } from '../support/memory-cluster.ts'
import { CONFIG, POD, post, review, start } from './running.ts'

const plain = { plain: true }

test('health is answered on a port of its own, without TLS, and on that of reviews', async (t) => {
  const { webhook } = await start(t)
  const { port, healthPort } = webhook
  const answers = await Promise.all([
    ask(healthPort, '/livez', plain),
    ask(healthPort, '/readyz', plain),
    ask(port, '/livez'),
    ask(port, '/readyz'),
  ])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200],
  )
})

test('health is answered while there is no certificate yet: alive, and not ready', async (t) => {
  const cluster = new MemoryCluster()
  cluster.failWith(new ClusterError(0, 'Cannot reach the API server: connection refused'))
  const { log, logged } = awaitedLog()
  const retried = logged('cannot keep certificates up to date: trying again')
  const readVersion = async () => ({ major: 1, minor: 36 })
  const healthPort = await freePort()
  const config = { ...CONFIG, healthPort }
  const starting = startWebhook(config, { cluster, readVersion, version: '1.2.3', log })
  await retried
  const { status, text } = await ask(healthPort, '/readyz', plain)
  assert.deepEqual([status, text], [503, 'not ready: there is no certificate yet\n'])
  assert.equal((await ask(healthPort, '/livez', plain)).status, 200)
  cluster.failWith(undefined)
  const webhook = await starting
  t.after(() => webhook.close({ lingerMs: 0 }))
  assert.equal((await ask(healthPort, '/readyz', plain)).status, 200)
})

test('metrics are on the port of health alone', async (t) => {
  const { webhook } = await start(t)
  await review(webhook, POD)
  const { status, text } = await ask(webhook.healthPort, '/metrics', plain)
  assert.equal(status, 200)
  assert.match(text, /^flux_metrics_webhook_reviews_total\{decision="inject"/m)
  assert.equal((await ask(webhook.port, '/metrics')).status, 404)
  assert.equal((await ask(webhook.certificatesPort, '/metrics')).status, 404)
})

test('reviews are answered on their port alone, and certificates on theirs', async (t) => {
  const { webhook } = await start(t)
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }
  const send = async (port: number, path: string, options: object) =>
    (await ask(port, path, { method: 'POST', headers, body: '{}', ...options })).status
  assert.equal(await send(webhook.port, '/certificates', {}), 404)
  assert.equal(await send(webhook.certificatesPort, '/certificates', {}), 200)
  assert.equal((await review(webhook, POD)).status, 200)
  assert.equal(await send(webhook.certificatesPort, '/mutate', {}), 405)
  assert.equal(await send(webhook.healthPort, '/mutate', plain), 405)
})

for (const suite of ['AES128-SHA', 'AES128-SHA256', 'AES256-SHA384', 'AES128-CCM']) {
  test(`no port has the suite ECDHE-ECDSA-${suite}, which does not encrypt and authenticate in one step as GCM does`, async (t) => {
    const { webhook } = await start(t)
    for (const port of [webhook.port, webhook.certificatesPort]) {
      const ciphers = `ECDHE-ECDSA-${suite}:@SECLEVEL=0`
      const options = { port, host: '127.0.0.1', rejectUnauthorized: false, ciphers }
      const socket = connect({ ...options, maxVersion: 'TLSv1.2' })
      await assert.rejects(once(socket, 'secureConnect'), {
        code: 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
      })
    }
  })
}

test('a port that is in use ends the start, which names the variable', async (t) => {
  const { webhook } = await start(t)
  for (const [name, variable] of [
    ['certificatesPort', 'CERTIFICATES_PORT'],
    ['healthPort', 'HEALTH_PORT'],
  ] as const) {
    await assert.rejects(start(t, { [name]: webhook[name] }), {
      message: `Cannot listen on port ${webhook[name]}: another program uses it; choose another with ${variable}`,
    })
  }
})

const ca = await createAuthority('API servers')
const other = await createAuthority('API servers')
const apiServer = await ca.issue({ commonName: 'kube-apiserver', extendedKeyUsage: ['clientAuth'] })

/** A webhook that knows API servers by their certificates. */
async function startWithClients(t: TestContext, allowedNames: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'webhook-'))
  t.after(() => rm(folder, { recursive: true }))
  const caFile = join(folder, 'ca.crt')
  await writeFile(caFile, ca.cert)
  return { caFile, ...(await start(t, { clients: { caFile, allowedNames } })) }
}

test('with CLIENT_CA_FILE a review needs a certificate of that CA with an allowed name', async (t) => {
  const { webhook, cluster } = await startWithClients(t, ['kube-apiserver'])
  const { status, text } = await review(webhook, POD, { client: apiServer })
  assert.deepEqual([status, JSON.parse(text).response.allowed], [200, true])
  cluster.calls.length = 0
  const refused = [
    undefined,
    await other.issue({ commonName: 'kube-apiserver', extendedKeyUsage: ['clientAuth'] }),
    await ca.issue({ commonName: 'somebody', extendedKeyUsage: ['clientAuth'] }),
    await ca.issue({ commonName: 'kube-apiserver', extendedKeyUsage: ['serverAuth'] }),
  ]
  for (const client of refused) {
    const answer = await review(webhook, POD, client === undefined ? {} : { client })
    const { kind, code, message } = JSON.parse(answer.text)
    assert.deepEqual([answer.status, kind, code], [401, 'Status', 401])
    assert.match(message, /^Cannot take a review from this client: /)
  }
  assert.deepEqual(cluster.calls, [])
})

test('with CLIENT_CA_FILE health and certificates are answered to clients without a certificate', async (t) => {
  const { webhook } = await startWithClients(t, [])
  assert.equal((await ask(webhook.port, '/livez')).status, 200)
  const headers = { authorization: `Bearer ${TOKEN}` }
  assert.equal((await post(webhook, '/certificates', {}, { headers })).status, 200)
})

test('with CLIENT_CA_FILE the next CA is used once it is in the file', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { webhook, caFile, logged } = await startWithClients(t, [])
  const next = await other.issue({ commonName: 'any', extendedKeyUsage: ['clientAuth'] })
  assert.equal((await review(webhook, POD, { client: next })).status, 401)
  await writeFile(caFile, other.cert)
  const loaded = logged('loaded new certificates')
  t.mock.timers.tick(2_000)
  await loaded
  assert.equal((await review(webhook, POD, { client: next })).status, 200)
  assert.equal((await review(webhook, POD, { client: apiServer })).status, 401)
})

test('without CLIENT_CA_FILE the log says who is believed', async (t) => {
  const { lines } = await start(t)
  assert.match(lines.join('\n'), /reviews are taken from anybody who reaches the port/)
  const { lines: known } = await startWithClients(t, [])
  assert.doesNotMatch(known.join('\n'), /anybody/)
})
