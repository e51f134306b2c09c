// Webhook and sidecar as they are, over TLS: how a sidecar comes by its identity, keeps it, and loses it. The webhook's API
// server is in memory, the sidecar's broker is a simulated one, and time is the tests'.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { readConfig as readSidecarConfig } from '../../sidecar/config.ts'
import { startSidecar } from '../../sidecar/sidecar.ts'
import type { Webhook } from '../../webhook/webhook.ts'
import { awaitedLog } from '../support/awaited-log.ts'
import { type Authority, createAuthority, type KeyPair } from '../support/certificates.ts'
import { createTestCluster, TEST_PACE } from '../support/cluster.ts'
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
import { MemoryCluster } from '../support/memory-cluster.ts'
import { secretData } from '../webhook/authority/replicas.ts'
import { HOST, namedWebhook } from './named-webhook.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const METRIC = '/apis/custom.metrics.k8s.io/v1beta2/namespaces/hpc/metrics/node_up_count'

const OBTAINED = 'obtained a certificate'
/** Of the webhook. */
const NEW_FRONT_PROXY = "the front proxy's authority has changed"
/** Of a sidecar. */
const NEW_TRUST = 'the CAs to trust have changed'

const frontProxy = await createAuthority('front-proxy-ca')
const nextFrontProxy = await createAuthority('next-front-proxy-ca')

/** A certificate of the front proxy: longer than any test goes on. */
function clientOf(authority: Authority, commonName = 'front-proxy-client') {
  const notAfter = new Date(Date.now() + 10 * DAY_MS)
  return authority.issue({ commonName, extendedKeyUsage: ['clientAuth'], notAfter })
}

const aggregator = await clientOf(frontProxy)
const nextAggregator = await clientOf(nextFrontProxy)

/** From now on time passes when a test says so. Who has begun before lives on in real time. */
function stopTime(t: TestContext): void {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.now() })
}

/** The webhook of a cluster with a MiniCluster. */
function webhookFor(t: TestContext, cluster: MemoryCluster) {
  cluster.review = reviewer()
  return namedWebhook(t, cluster)
}

/** The sidecar of the MiniCluster's lead broker, when it has read Flux and said the message. */
async function sidecarFor(
  t: TestContext,
  cluster: MemoryCluster,
  { webhook, says = OBTAINED }: { readonly webhook: Webhook; readonly says?: string },
) {
  const flux = await createTestCluster(t)
  await flux.startBroker()
  const folder = await mkdtemp(join(tmpdir(), 'identity-'))
  t.after(() => rm(folder, { recursive: true }))
  const tokenFile = join(folder, 'token')
  await writeFile(tokenFile, TOKEN)
  const read = readSidecarConfig({
    FLUX_URI: `local://${flux.path}`,
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: '0',
    IDENTITY_URL: `https://${HOST}:${webhook.certificatesPort}`,
    IDENTITY_TOKEN_FILE: tokenFile,
    IDENTITY_CA: secretData(cluster)['current.crt'],
    NAMESPACE: 'hpc',
    MINICLUSTER: 'lammps',
  })
  if (read.kind === 'problems') assert.fail(read.problems.join())
  // Flux is never late, and never too old: time passes for the identity here.
  const config = { ...read.config, maxAgeMs: 2 * DAY_MS }
  const pace = { ...TEST_PACE, callTimeoutMs: 2 * DAY_MS }
  const { log, lines, logged } = awaitedLog()
  const begun = Promise.all([logged('stale → fresh: read Flux'), logged(says)])
  const sidecar = await startSidecar(config, { log, version: '1.2.3', pace })
  t.after(async () => {
    t.mock.timers.reset()
    await sidecar.close({ lingerMs: 0 })
  })
  await begun
  const { port } = sidecar
  const get = (path: string, client: KeyPair | undefined = aggregator) =>
    ask(port, path, { client })
  return {
    port,
    lines,
    logged,
    get,
    /** What the front proxy, the next one, and one without a certificate get. */
    codes: async () => {
      const asked = [get(METRIC), get(METRIC, nextAggregator), ask(port, METRIC)]
      return (await Promise.all(asked)).map(({ status }) => status)
    },
  }
}

/** Lets time pass, and waits until that has been noticed. */
async function pass(t: TestContext, ms: number, noticed: Promise<unknown>): Promise<void> {
  // What was noticed before has set its timers by now.
  await new Promise(setImmediate)
  t.mock.timers.tick(ms)
  await noticed
}

function messageIn({ text }: { readonly text: string }): string {
  const { kind, message } = JSON.parse(text)
  assert.equal(kind, 'Status')
  return message
}

/** The certificate that a sidecar shows to a client that trusts the project's CA, and calls it by a name. */
async function shown(port: number, cluster: MemoryCluster, name: string): Promise<string> {
  const ca = secretData(cluster)['current.crt']
  const socket = connect({ port, host: '127.0.0.1', servername: name, ca })
  await once(socket, 'secureConnect')
  const certificate = socket.getPeerX509Certificate()?.toString()
  socket.destroy()
  return certificate ?? assert.fail('no certificate')
}

const MINICLUSTER = [miniCluster(), job()]

test('a sidecar serves only health until the authority knows its pod, and then also metrics to the front proxy', async (t) => {
  stopTime(t)
  const cluster = new MemoryCluster([requestHeader(frontProxy.cert), ...MINICLUSTER])
  const { webhook, lines: told } = await webhookFor(t, cluster)
  const says = 'no certificate: only health is served; asking the authority again'
  const { port, get, codes, lines, logged } = await sidecarFor(t, cluster, { webhook, says })
  const why =
    'no certificate yet: the authority answered 403: Cannot issue an identity: the pod of the token no longer exists'
  for (const path of ['/readyz', '/healthz']) {
    const { status, text } = await ask(port, path)
    assert.deepEqual([status, text.split('\n')[0]], [200, `ok: only health is served: ${why}`])
  }
  assert.equal((await ask(port, '/livez')).status, 200)
  for (const path of [METRIC, '/apis', '/metrics', '/version']) {
    const answer = await get(path)
    assert.deepEqual([answer.status, messageIn(answer)], [503, `Cannot serve: ${why}`])
  }
  await assert.rejects(shown(port, cluster, NAMES[0]))

  cluster.put(leadBroker())
  await pass(t, 30_000, logged(OBTAINED))
  assert.match((await ask(port, '/readyz')).text, /^ok: serving\n/)
  assert.deepEqual(await codes(), [200, 401, 401])
  const kubelet = await get(METRIC, await clientOf(frontProxy, 'kubelet'))
  assert.deepEqual(
    [kubelet.status, messageIn(kubelet)],
    [401, 'Cannot authenticate the client: the name "kubelet" is not one of the allowed names'],
  )
  for (const name of NAMES) await shown(port, cluster, name)
  const log = [...told, ...lines].join()
  assert.match(log, /"outcome":"PodGone"/)
  assert.match(log, /"outcome":"Issued"/)
  assert.ok(!log.includes(TOKEN) && !log.includes('PRIVATE KEY'))
})

test('a front proxy with another CA is known within 10 minutes, and the one before for a while', async (t) => {
  stopTime(t)
  const cluster = new MemoryCluster([requestHeader(frontProxy.cert), ...MINICLUSTER, leadBroker()])
  const { webhook, logged: told } = await webhookFor(t, cluster)
  const { codes, logged } = await sidecarFor(t, cluster, { webhook })
  assert.deepEqual(await codes(), [200, 401, 401])
  cluster.put(requestHeader(nextFrontProxy.cert))
  await pass(t, 5_000, told(NEW_FRONT_PROXY))
  await pass(t, 5 * MINUTE_MS, logged(NEW_TRUST))
  assert.deepEqual(await codes(), [200, 200, 401])
  await pass(t, 15 * MINUTE_MS, logged(NEW_TRUST))
  assert.deepEqual(await codes(), [401, 200, 401])
})

test('a sidecar whose authority is away serves until its certificate expires, and then only health', async (t) => {
  const cluster = new MemoryCluster([requestHeader(frontProxy.cert), ...MINICLUSTER, leadBroker()])
  const { webhook } = await webhookFor(t, cluster)
  stopTime(t)
  const { port, codes, get, logged } = await sidecarFor(t, cluster, { webhook })
  await webhook.close({ lingerMs: 0 })
  const away = logged(
    'cannot renew the identity: keeping the current one; asking the authority again',
  )
  await pass(t, 5 * MINUTE_MS, away)
  const { reason } = await away
  assert.equal(
    reason,
    `the authority at ${HOST}:${webhook.certificatesPort} cannot be reached: no webhook listens there: see whether its pods run (ECONNREFUSED)`,
  )
  assert.deepEqual(await codes(), [200, 401, 401])
  assert.match((await ask(port, '/readyz')).text, /^ok: serving, but the certificate.*ECONNREFUSED/)
  await pass(t, DAY_MS, logged('the certificate has expired'))
  const why = `the certificate has expired: ${reason}`
  const answer = await get(METRIC)
  assert.deepEqual([answer.status, messageIn(answer)], [503, `Cannot serve: ${why}`])
  const { status, text } = await ask(port, '/readyz')
  assert.deepEqual([status, text.split('\n')[0]], [200, `ok: only health is served: ${why}`])
  await assert.rejects(shown(port, cluster, NAMES[0]))
})

test('a certificate is renewed at two thirds of its life, and no request is dropped', async (t) => {
  const cluster = new MemoryCluster([requestHeader(frontProxy.cert), ...MINICLUSTER, leadBroker()])
  const { webhook } = await webhookFor(t, cluster)
  stopTime(t)
  const { port, logged } = await sidecarFor(t, cluster, { webhook })
  const before = await shown(port, cluster, NAMES[0])
  const kept = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => kept.destroy())
  const connections = t.mock.method(kept, 'createConnection').mock
  const statuses = new Set<number>()
  let isRenewed = false
  /** Asks without a pause until the certificate is another, and a few times more. */
  const ask20More = async (agent?: Agent) => {
    for (let left = 20; left > 0; left -= isRenewed ? 1 : 0) {
      const options = { client: aggregator, ...(agent === undefined ? {} : { agent }) }
      statuses.add((await ask(port, METRIC, options)).status)
    }
  }
  const asking = [ask20More(kept), ask20More(), ask20More()]
  const renewed = logged(OBTAINED).then(() => {
    isRenewed = true
  })
  await pass(t, 16.1 * HOUR_MS, renewed)
  await Promise.all(asking)
  assert.deepEqual([[...statuses], connections.callCount()], [[200], 1])
  assert.notEqual(await shown(port, cluster, NAMES[0]), before)
})

test('a MiniCluster whose metrics are switched off while it runs keeps them until its pod ends', async (t) => {
  const cluster = new MemoryCluster([requestHeader(frontProxy.cert), ...MINICLUSTER, leadBroker()])
  const { webhook } = await webhookFor(t, cluster)
  stopTime(t)
  const { port, codes, logged } = await sidecarFor(t, cluster, { webhook })
  const before = await shown(port, cluster, NAMES[0])
  cluster.put(miniCluster({ annotations: { 'flux-metrics/enabled': 'false' } }))
  await pass(t, 16.1 * HOUR_MS, logged(OBTAINED))
  assert.notEqual(await shown(port, cluster, NAMES[0]), before)
  assert.deepEqual(await codes(), [200, 401, 401])
})
