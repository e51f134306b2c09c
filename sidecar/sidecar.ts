// A running sidecar: puts collector, app and server together, and stops them in order. The program (main.ts) and the
// demo start it from here.
import { createApp } from '#api/app.ts'
import { FRONT_PROXY } from '#api/front-proxy.ts'
import { createTelemetry } from '#api/gauges/telemetry.ts'
import { HEALTH_PATHS } from '#api/health.ts'
import { Collector } from '#collecting/collector.ts'
import { Liveness } from '#collecting/liveness.ts'
import type { CollectorObserver } from '#collecting/observer.ts'
import type { Pace } from '#collecting/pace.ts'
import { LastHour } from '#explaining/last-hour.ts'
import type { CredentialSource } from '#identity/credential-source.ts'
import { createCredentials } from '#identity/credentials.ts'
import { Catalog } from '#metrics/catalog.ts'
import { sidecarNames } from '#serving/certificates/certificate-names.ts'
import { CertificateGauge } from '#serving/https/certificate-gauge.ts'
import { createClientVerifier } from '#serving/https/client-verifier.ts'
import { HttpsServer } from '#serving/https/server.ts'
import type { Logger } from '#serving/log.ts'
import type { Config } from './config.ts'
import { Departure } from './departure.ts'
import { Listening } from './listening.ts'

/** How long the server still answers after readiness is off: until the aggregator no longer uses the endpoint. */
const LINGER_MS = 2_000

const STOPPING = { ready: false, message: 'stopping' } as const

/** A running sidecar. */
export interface Sidecar {
  /** The port on which it serves, now or as soon as no other program has it. */
  readonly port: number
  /** Resolves with the reason when the broker has ended for good. Without `EXIT_WITH_BROKER` it never resolves. */
  readonly brokerGone: Promise<string>
  /**
   * Turns readiness off, drains the server, then disconnects from the broker. Takes at most 10 s.
   *
   * @throws Error if the collector has died: then a clean exit would be wrong
   */
  close(options?: { readonly lingerMs?: number }): Promise<void>
}

/**
 * Starts a sidecar. It serves health at once, and metrics as soon as the broker has answered.
 *
 * @throws Error that says why the port cannot be used
 */
export async function startSidecar(
  config: Config,
  options: {
    readonly log: Logger
    readonly version: string
    readonly pace?: Partial<Pace>
    /** How often a port that another program has is tried again. Without it the start fails. */
    readonly retryMs?: number
  },
): Promise<Sidecar> {
  const { log, version } = options
  const { namespace, minicluster } = config.names
  const instance = `${namespace}/${minicluster}`
  const now = () => performance.now()
  let stopping = false
  const credentials = await createCredentials({ ...config, names: sidecarNames(config.names) }, log)
  const telemetry = createTelemetry()
  const gone = Promise.withResolvers<string>()
  const departure = config.exitWithBroker
    ? [
        new Departure({
          path: config.socketPath,
          onGone: () => gone.resolve('the broker has ended for good'),
          now,
        }),
      ]
    : []
  const pace = { maxAgeMs: config.maxAgeMs, ...options.pace }
  const liveness = new Liveness({ pace, log: log.child({ component: 'collector' }), now })
  const lastHour = new LastHour(Date.now())
  const collector = new Collector({
    lastHour,
    path: config.socketPath,
    minicluster,
    maxAgeMs: config.maxAgeMs,
    patience: { idleGraceMs: config.idleGraceMs },
    drains: config.drain ? { instance } : undefined,
    formerDrains: { instance },
    log: log.child({ component: 'collector' }),
    observer: all([liveness, telemetry, ...departure]),
    ...(options.pace === undefined ? {} : { pace: options.pace }),
  })
  const catalog = new Catalog()
  const metricsFile = await followMetrics(config, catalog, log.child({ component: 'metrics' }))
  const clients = credentials.authenticatesClients
    ? createClientVerifier(credentials.allowedNames, FRONT_PROXY)
    : undefined
  const app = createApp({
    source: collector,
    lastHour,
    catalog,
    names: config.names,
    clients,
    telemetry,
    readiness: () => (stopping ? STOPPING : readinessOf(credentials)),
    stalled: () => liveness.stalled,
    closed: credentials.missing,
    external: config.externalMetrics,
    version,
    log: log.child({ component: 'api' }),
  })
  const server = new HttpsServer({
    handler: app.callback(),
    credentials: credentials.first,
    expectsClientCa: credentials.authenticatesClients,
    knowsClient: clients && ((client) => clients.verify(client).kind === 'verified'),
    log: log.child({ component: 'server' }),
    unlimitedPaths: HEALTH_PATHS,
  })
  let { port } = config.listen
  const listening = new Listening({
    server,
    listen: config.listen,
    retryMs: options.retryMs,
    onPort: (used) => {
      port = used
      log.info({ port, version, ...config.names }, 'serving')
    },
    log,
  })
  await listening.start()
  const certificate = new CertificateGauge(
    telemetry.registry,
    'flux_certificate_end_timestamp_seconds',
  )
  certificate.serve(credentials.first)
  credentials.start((changed) => {
    server.update(changed)
    certificate.serve(changed)
  })
  collector.start()
  return {
    port,
    brokerGone: gone.promise,
    close: async ({ lingerMs = LINGER_MS } = {}) => {
      stopping = true
      log.info({}, 'stopping')
      await new Promise((resolve) => setTimeout(resolve, lingerMs))
      listening.close()
      credentials.close()
      metricsFile?.close()
      await server.drain()
      const { stalled } = liveness
      const stopped = collector.stop()
      // Where the sidecar is an ordinary container, the kubelet starts it again only after an exit with an error.
      if (stalled !== undefined) throw new Error(stalled)
      await stopped
      log.info({}, 'stopped')
    },
  }
}

/** Loads the language of user-defined metrics only if there are any: loading takes 15 ms. */
async function followMetrics({ metricsFile: path }: Config, catalog: Catalog, log: Logger) {
  if (path === undefined) return undefined
  const { followMetricsFile } = await import('#metrics/user-metrics/metrics-file.ts')
  return followMetricsFile({ path, catalog, log })
}

/** Always ready, even without a certificate: a pod that is not ready loses its name in DNS, and workers cannot join. */
function readinessOf(credentials: CredentialSource) {
  const missing = credentials.missing()
  if (missing !== undefined) return { ready: true, message: `only health is served: ${missing}` }
  const problem = credentials.problem()
  return { ready: true, message: problem === undefined ? 'serving' : `serving, but ${problem}` }
}

/** One observer that passes each notice on to several. */
function all(observers: readonly CollectorObserver[]): CollectorObserver {
  const notify = (notice: (observer: CollectorObserver) => void) => {
    for (const observer of observers) notice(observer)
  }
  return {
    refreshed: (tookMs) => notify((observer) => observer.refreshed(tookMs)),
    failed: (code) => notify((observer) => observer.failed(code)),
    connected: () => notify((observer) => observer.connected()),
    disconnected: () => notify((observer) => observer.disconnected()),
    drained: (what, outcome) => notify((observer) => observer.drained(what, outcome)),
  }
}
