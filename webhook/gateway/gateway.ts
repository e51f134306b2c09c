// Assembles the gateway from its parts: identity, peers, asking, upstreams, publishing, servers. The program (main.ts) and the
// tests start it.
import { hostname } from 'node:os'
import { FRONT_PROXY } from '#api/front-proxy.ts'
import { createIssuedCredentials } from '#identity/issued-credentials.ts'
import { Catalog } from '#metrics/catalog.ts'
import { serviceNames } from '#serving/certificates/certificate-names.ts'
import { CertificateGauge } from '#serving/https/certificate-gauge.ts'
import { createClientVerifier } from '#serving/https/client-verifier.ts'
import { HttpsServer } from '#serving/https/server.ts'
import type { Logger } from '#serving/log.ts'
import {
  createHealthApp,
  HEALTH_LIMITS,
  HEALTH_PATHS,
  LINGER_MS,
  type Readiness,
} from '../health.ts'
import type { ApiServer } from '../kubernetes/cluster.ts'
import { AnswerBudget } from './asking/answer-budget.ts'
import { Asking } from './asking/asking.ts'
import type { Config } from './config.ts'
import { Absences } from './peers/absences.ts'
import { EnabledMiniClusters } from './peers/enabled-miniclusters.ts'
import { PodWatch } from './peers/pod-watch.ts'
import { Publishing } from './publishing/publishing.ts'
import { createApp } from './routing/app.ts'
import { SidecarGauges } from './scraping/sidecar-gauges.ts'
import { ShortageGauges } from './shortage/shortage-gauges.ts'
import { Shortages } from './shortage/shortages.ts'
import { createTelemetry, registerStateGauges } from './telemetry.ts'
import { Upstreams } from './upstream/upstreams.ts'

/** Where the kubelet puts the token for the API server. Adapters know the gateway by it. */
const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/**
 * API servers keep a connection for each request under way, and every user who may read metrics can make them send many. Strangers,
 * who get nothing but health here, have the limits of a sidecar's: a connection takes 90 KiB.
 */
const API_LIMITS = {
  known: { connections: 1_024, requests: 1_024 },
  // Adapters may take longer than sidecars.
  answerMs: 65_000,
}

const GATEWAY_CERTIFICATE_END = 'flux_gateway_certificate_end_timestamp_seconds'

const STOPPING: Readiness = { ready: false, message: 'stopping' }

/** A running gateway. */
export interface Gateway {
  /** Of the API. */
  readonly port: number
  readonly healthPort: number
  /** Turns readiness off, waits, and drains the servers. */
  close(options?: { readonly lingerMs?: number }): Promise<void>
}

export interface GatewayOptions {
  readonly cluster: ApiServer
  readonly version: string
  readonly log: Logger
}

/**
 * Starts a gateway. It serves health at once, and the API as soon as it has a certificate; it is ready when it has also listed
 * the pods. Later it serves on while the API server is away.
 *
 * @throws Error that says what is wrong with a port
 */
export async function startGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  const { cluster, version, log } = options
  const telemetry = createTelemetry()
  const { registry } = telemetry
  const names = serviceNames(config.service, config.namespace)
  const { authority, externalMetrics: external } = config
  const credentials = createIssuedCredentials({ authority, names }, log)
  const enabled = new EnabledMiniClusters({ cluster, log })
  const peers = new PodWatch({ cluster, enabled, log })
  const budget = new AnswerBudget()
  const asking = new Asking({
    ...{ peers, budget, version, log },
    credentials: credentials.asClient(),
    observer: telemetry,
  })
  const upstreams = new Upstreams({
    ...config.upstreams,
    tokenFile: SERVICE_ACCOUNT_TOKEN,
    log,
  })
  registerStateGauges(registry, { peers, asking, budget, upstreams })
  const shortages = new Shortages(cluster, peers)
  new ShortageGauges({ cluster, peers, shortages }).register(registry)
  let isStopping = false
  const readiness = () => {
    if (isStopping) return STOPPING
    const missing = credentials.missing() ?? peers.missing
    if (missing !== undefined) return { ready: false, message: missing }
    const problem = credentials.problem()
    return { ready: true, message: problem === undefined ? 'serving' : `serving, but ${problem}` }
  }
  const clients = createClientVerifier(credentials.allowedNames, FRONT_PROXY)
  const app = createApp({
    ...{ peers, shortages, clients, readiness, external, upstreams, version },
    sidecars: asking,
    absences: new Absences(cluster),
    catalog: new Catalog(),
    others: upstreams.resources,
    otherOpenapi: upstreams.openapi,
    observeRequest: telemetry.observeRequest,
    log: log.child({ component: 'api' }),
  })
  const serverLog = log.child({ component: 'server' })
  const server = new HttpsServer({
    handler: app.callback(),
    credentials: credentials.first,
    expectsClientCa: true,
    knowsClient: (client) => clients.verify(client).kind === 'verified',
    log: serverLog,
    unlimitedPaths: HEALTH_PATHS,
    limits: API_LIMITS,
  })
  const gauges = new SidecarGauges({ peers, sidecars: asking, log })
  const health = new HttpsServer({
    handler: createHealthApp({
      readiness,
      telemetry: {
        contentType: registry.contentType,
        render: async () => [await telemetry.render(), ...(await gauges.render())],
      },
      log,
    }).callback(),
    credentials: undefined,
    log: serverLog,
    unlimitedPaths: HEALTH_PATHS,
    limits: HEALTH_LIMITS,
  })
  const publishing = new Publishing({
    ...{ cluster, registry, external, log },
    canServe: () => readiness().ready,
    caBundle: () => credentials.asClient()?.ca,
    namespace: config.namespace,
    service: config.service,
    upstreams: config.upstreams,
    adapterObstacle: (group) => upstreams.obstacleOf(group),
    pod: hostname(),
  })
  const { address } = config.listen
  const at = { address, port: config.healthPort, variable: 'HEALTH_PORT' }
  const healthPort = (await health.listen(at)).port
  const { port } = await server.listen(config.listen)
  const certificate = new CertificateGauge(registry, GATEWAY_CERTIFICATE_END)
  certificate.serve(credentials.first)
  credentials.start((changed, client) => {
    server.update(changed)
    certificate.serve(changed)
    if (client !== undefined) asking.update(client)
  })
  void enabled.start()
  void peers.start()
  void upstreams.start()
  void publishing.start()
  log.info({ port, healthPort, version }, 'serving')
  return {
    port,
    healthPort,
    close: async ({ lingerMs = LINGER_MS } = {}) => {
      isStopping = true
      log.info({}, 'stopping')
      publishing.close()
      await new Promise((resolve) => setTimeout(resolve, lingerMs))
      await server.drain()
      asking.close()
      upstreams.close()
      peers.close()
      enabled.close()
      credentials.close()
      await health.drain()
      log.info({}, 'stopped')
    },
  }
}
