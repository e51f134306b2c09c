// Puts the parts together: collector, app, server. The program (main.ts) and the demo start it from here.
import { createApp } from '#api/app.ts'
import { createClientVerifier } from '#api/front-proxy.ts'
import { createTelemetry } from '#api/gauges/telemetry.ts'
import { Collector } from '#collecting/collector.ts'
import type { CollectorObserver } from '#collecting/observer.ts'
import type { Pace } from '#collecting/pace.ts'
import { createCredentials } from '#identity/credentials.ts'
import { Catalog } from '#metrics/catalog.ts'
import type { Logger } from '#serving/log.ts'
import { HttpsServer } from '#serving/server.ts'
import type { Config } from './config.ts'
import { Departure } from './departure.ts'

/** Kubelets must have their answers, or they kill the container. */
const UNLIMITED_PATHS = ['/livez', '/readyz', '/healthz']

/** How long we go on serving after readiness is off: until the endpoint is out of the aggregator's reach. */
const LINGER_MS = 2_000

const STOPPING = { ready: false, message: 'stopping' } as const

/** A running sidecar. */
export interface Sidecar {
  readonly port: number
  /** Resolves when the broker is gone for good, if `EXIT_WITH_BROKER` asks to know. */
  readonly brokerGone: Promise<string>
  /** Readiness off, then the server drained, then the broker left. Within 10 s whatever clients do. */
  close(options?: { readonly lingerMs?: number }): Promise<void>
}

/**
 * Starts a sidecar: it serves at once, and metrics as soon as the broker has answered.
 *
 * @throws Error that says what is wrong with certificates or port
 */
export async function startSidecar(
  config: Config,
  options: { readonly log: Logger; readonly version: string; readonly pace?: Partial<Pace> },
): Promise<Sidecar> {
  const { log, version } = options
  const { namespace, minicluster } = config.names
  const instance = `${namespace}/${minicluster}`
  let stopping = false
  const credentials = await createCredentials(config, log)
  const telemetry = createTelemetry()
  const gone = Promise.withResolvers<string>()
  const departure = config.exitWithBroker
    ? [
        new Departure({
          path: config.socketPath,
          onGone: () => gone.resolve('the broker is gone for good'),
        }),
      ]
    : []
  const collector = new Collector({
    path: config.socketPath,
    maxAgeMs: config.maxAgeMs,
    patience: { idleGraceMs: config.idleGraceMs },
    drains: config.drain ? { instance } : undefined,
    formerDrains: { instance },
    log: log.child({ component: 'collector' }),
    observer: all([telemetry, ...departure]),
    ...(options.pace === undefined ? {} : { pace: options.pace }),
  })
  const catalog = new Catalog()
  const metricsFile = await followMetrics(config, catalog, log.child({ component: 'metrics' }))
  const app = createApp({
    source: collector,
    catalog,
    names: config.names,
    clients: credentials.authenticatesClients
      ? createClientVerifier(credentials.allowedNames)
      : undefined,
    telemetry,
    readiness: () => (stopping ? STOPPING : readinessWithout(credentials.missing())),
    closed: credentials.missing,
    external: config.externalMetrics,
    version,
    log: log.child({ component: 'api' }),
  })
  const server = new HttpsServer({
    handler: app.callback(),
    credentials: credentials.first,
    expectsClientCa: credentials.authenticatesClients,
    log: log.child({ component: 'server' }),
    unlimitedPaths: UNLIMITED_PATHS,
  })
  const { port } = await server.listen(config.listen)
  log.info({ port, version, ...config.names }, 'serving')
  credentials.start((changed) => server.update(changed))
  collector.start()
  return {
    port,
    brokerGone: gone.promise,
    close: async ({ lingerMs = LINGER_MS } = {}) => {
      stopping = true
      log.info({}, 'stopping')
      await new Promise((resolve) => setTimeout(resolve, lingerMs))
      credentials.close()
      metricsFile?.close()
      await server.drain()
      await collector.stop()
      log.info({}, 'stopped')
    },
  }
}

/** Loading the language of user-defined metrics takes 15 ms, which no one should wait for who defines none. */
async function followMetrics({ metricsFile: path }: Config, catalog: Catalog, log: Logger) {
  if (path === undefined) return undefined
  const { followMetricsFile } = await import('#metrics/user-metrics/metrics-file.ts')
  return followMetricsFile({ path, catalog, log })
}

/** Ready whatever is missing: the pod's other containers would lose their name in DNS. */
function readinessWithout(missing: string | undefined) {
  return { ready: true, message: missing === undefined ? 'serving' : `health alone: ${missing}` }
}

/** Tells several observers. */
function all(observers: readonly CollectorObserver[]): CollectorObserver {
  const tell = (notice: (observer: CollectorObserver) => void) => {
    for (const observer of observers) notice(observer)
  }
  return {
    refreshed: (tookMs) => tell((observer) => observer.refreshed(tookMs)),
    failed: (code) => tell((observer) => observer.failed(code)),
    connected: () => tell((observer) => observer.connected()),
    disconnected: () => tell((observer) => observer.disconnected()),
    drained: (what, outcome) => tell((observer) => observer.drained(what, outcome)),
  }
}
