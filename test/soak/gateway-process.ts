// A whole gateway but for its servers' TLS, under a clock that moves on by five seconds with each MiniCluster: each has a name that
// was never seen before, is asked for once or twice, in every way, and goes. Now and then the CAs are rotated.
// Arguments: the port of the sidecars, the file of the credentials, the number of MiniClusters.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { Agent, createServer, get } from 'node:http'
import { NO_OPENAPI } from '#api/documents/openapi-parts.ts'
import { Catalog } from '#metrics/catalog.ts'
import { createLogger } from '#serving/log.ts'
import { Asking } from '../../webhook/gateway/asking/asking.ts'
import type { ClientCredentials } from '../../webhook/gateway/connections/connection-pool.ts'
import { Absences } from '../../webhook/gateway/peers/absences.ts'
import type { MiniClusterName } from '../../webhook/gateway/peers/peer.ts'
import { PodWatch } from '../../webhook/gateway/peers/pod-watch.ts'
import { createApp } from '../../webhook/gateway/routing/app.ts'
import { SidecarGauges } from '../../webhook/gateway/scraping/sidecar-gauges.ts'
import { Shortages } from '../../webhook/gateway/shortage/shortages.ts'
import { createTelemetry } from '../../webhook/gateway/telemetry.ts'
import { until } from '../support/until.ts'
import { sidecarPod } from '../webhook/gateway/peers/support-pods.ts'
import { measure } from './measure.ts'
import { PassingPods } from './passing-pods.ts'
import { report, SAMPLES } from './soaked.ts'

const STEP_MS = 5_000
const NAMESPACES = 20
/** In MiniClusters. */
const ROTATION = 25
const SCRAPE = 10

const [sidecars = '', credentialsFile = '', count = ''] = process.argv.slice(2)
const all: readonly ClientCredentials[] = JSON.parse(await readFile(credentialsFile, 'utf8'))

let skewMs = 0
const realNow = performance.now.bind(performance)
performance.now = () => realNow() + skewMs

const log = createLogger('silent')
const cluster = new PassingPods()
const telemetry = createTelemetry()
const enabled = { inNamespace: () => [] }
const peers = new PodWatch({ cluster, enabled, log, pace: { relistMs: 2_000_000 } })
const asking = new Asking({ peers, version: '0', log, credentials: all[0], observer: telemetry })
const gauges = new SidecarGauges({ peers, sidecars: asking, log })
const app = createApp({
  ...{ peers, sidecars: asking, log, version: '0', external: true },
  absences: new Absences(cluster),
  shortages: new Shortages(cluster, peers),
  catalog: new Catalog(),
  upstreams: { custom: undefined, external: undefined },
  clients: { verify: () => ({ kind: 'verified', name: 'front-proxy-client' }) },
  readiness: () => ({ ready: true, message: 'serving' }),
  others: { version: 0, resourcesOf: () => [] },
  otherOpenapi: NO_OPENAPI,
  observeRequest: telemetry.observeRequest,
})
const server = createServer(app.callback()).listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
assert.ok(address !== null && typeof address === 'object')
const { port } = address
const agent = new Agent({ keepAlive: true, maxSockets: 1 })

async function ask(path: string): Promise<{ readonly code: number; readonly body: string }> {
  const [response] = await once(get({ host: '127.0.0.1', port, path, agent }), 'response')
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return { code: response.statusCode, body }
}

function pathsOf({ namespace, minicluster }: MiniClusterName, number: number): readonly string[] {
  const custom = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}`
  const metric = `metric_${number}`
  const selector = `metricLabelSelector=queue%3Dq${number}`
  return [
    `${custom}/miniclusters.flux-framework.org/${minicluster}/${metric}?${selector}`,
    `${custom}/miniclusters.flux-framework.org/*/${metric}?labelSelector=x%21%3Dq${number}`,
    `${custom}/miniclusters.flux-framework.org/gone-${number}/${metric}`,
    `${custom}/miniclusters.flux-framework.org/${minicluster}/explain`,
    `${custom}/miniclusters.flux-framework.org/*/explain`,
    '/apis/custom.metrics.k8s.io/v1beta2/miniclusters.flux-framework.org/*/explain',
    `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${metric}`,
    `/nothing/${number}`,
  ]
}

/** The life of one MiniCluster. */
async function pass(number: number): Promise<void> {
  const name = { namespace: `ns-${number % NAMESPACES}`, minicluster: `m-${number}` }
  const container = {
    name: 'flux-metrics',
    ports: [{ name: 'custom-metrics', containerPort: Number(sidecars) }],
  }
  const pod = sidecarPod({
    ...name,
    spec: { initContainers: [container] },
    status: { podIP: '127.0.0.1' },
    job: `job-${number}`,
  })
  cluster.change('put', pod)
  while (peers.find(name).kind !== 'found') await new Promise(setImmediate)
  const [metric = '', ...others] = pathsOf(name, number)
  const { code, body } = await ask(metric)
  // The others have sidecars that do not answer, or strangers in their place.
  if (number % 8 === 0) assert.equal(code, 200, body)
  for (const path of others) await ask(path)
  if (number % SCRAPE === 0) await gauges.render()
  cluster.change('removed', pod)
  while (peers.find(name).kind === 'found') await new Promise(setImmediate)
  const credentials = all[(number / ROTATION) % all.length]
  if (credentials !== undefined) asking.update(credentials)
  skewMs += STEP_MS
}

await peers.start()
const perSample = Math.ceil(Number(count) / SAMPLES)
for (let number = 1; number <= perSample * SAMPLES; number += 1) {
  await pass(number)
  if (number % perSample !== 0) continue
  await until(() => asking.state.running === 0, 'no question is under way')
  report({ sample: measure(number, 0) })
}
peers.close()
asking.close()
agent.destroy()
server.close()
process.disconnect?.()
