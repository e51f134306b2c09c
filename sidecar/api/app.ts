// Creates the koa app of the API: the middlewares in their order, and the routes. Listening is in serving/https/server.ts.
import Koa, { type Middleware } from 'koa'
import Router from 'koa-router'
import type { Remembering } from '#explaining/details.ts'
import type { Catalog } from '#metrics/catalog.ts'
import type { SnapshotSource } from '#scaling/snapshot.ts'
import { failures, logUnsent } from '#serving/failure.ts'
import type { ClientVerifier } from '#serving/https/client-verifier.ts'
import type { Logger } from '#serving/log.ts'
import { unavailable } from '#serving/status.ts'
import { AnswerCache, recallAnswers } from './answer-cache.ts'
import { routeCustomMetrics } from './custom-metrics.ts'
import type { DescribedNames } from './described-object.ts'
import { routeDiscovery } from './documents/discovery.ts'
import { routeOpenapi } from './documents/openapi.ts'
import { routeVersion } from './documents/version.ts'
import { routeExplain } from './explain.ts'
import { routeExternalMetrics } from './external-metrics.ts'
import { authenticate } from './front-proxy.ts'
import { registerFluxGauges } from './gauges/flux-gauges.ts'
import { METRICS_PATH, routePrometheus, type Telemetry } from './gauges/telemetry.ts'
import { createUserGauges } from './gauges/user-gauges.ts'
import { HEALTH_PATHS, type Readiness, routeHealth } from './health.ts'
import { explainMissingPaths } from './missing-path.ts'
import { believeNoUser } from './reader.ts'

export interface AppOptions {
  readonly source: SnapshotSource
  readonly lastHour: Remembering
  readonly catalog: Catalog
  readonly names: DescribedNames
  /** `undefined`: every client is accepted. */
  readonly clients: ClientVerifier | undefined
  /** Not shared with another app: the app registers its gauges there. */
  readonly telemetry: Telemetry
  readonly readiness: () => Readiness
  /** Why `/livez` fails, so that the kubelet starts the sidecar again; `undefined` if it does not. */
  readonly stalled?: () => string | undefined
  /** Returns why only health may be served now; `undefined` if everything may. */
  readonly closed?: () => string | undefined
  /** Whether to serve external.metrics.k8s.io as well. */
  readonly external: boolean
  /** The version of the program, e.g. `0.2.0`. */
  readonly version: string
  readonly log: Logger
}

/** Paths for clients without a certificate: kubelets and Prometheus. */
const OPEN_PATHS: ReadonlySet<string> = new Set([...HEALTH_PATHS, METRICS_PATH])

/** Creates the koa app of the sidecar. It answers from memory: no request waits for Flux. */
export function createApp(options: AppOptions): Koa {
  const { clients, telemetry, log, catalog } = options
  const source = counted(options.source, telemetry)
  const app = new Koa()
  logUnsent(app, log)
  registerFluxGauges(telemetry.registry, source)

  app.use(observeRequests(telemetry, log))
  app.use(failures(log))
  if (options.closed !== undefined) app.use(serveOnlyHealth(options.closed))
  app.use(clients === undefined ? believeNoUser : authenticate(clients, OPEN_PATHS))
  const answers = new AnswerCache(catalog)
  app.use(recallAnswers(answers, source))
  app.use(createRouter({ ...options, source, answers }).routes())
  app.use(explainMissingPaths(options))
  return app
}

function createRouter(options: AppOptions & { readonly answers: AnswerCache }): Router {
  // Strict: a path with a slash at its end is not found.
  const router = new Router({ strict: true, sensitive: true })
  routeExplain(router, options)
  routeCustomMetrics(router, options)
  if (options.external) routeExternalMetrics(router, options)
  routeDiscovery(router, options)
  routeOpenapi(router, options)
  routeHealth(router, options)
  routeVersion(router, options.version)
  routePrometheus(router, options.telemetry, createUserGauges(options.telemetry.registry, options))
  return router
}

/** The same source, which counts to whom numbers are given. */
function counted(source: SnapshotSource, { answered }: Telemetry): SnapshotSource {
  return {
    reading: (now) => source.reading(now),
    noteAnswer(snapshot, reader) {
      answered(reader)
      source.noteAnswer?.(snapshot, reader)
    },
  }
}

/** Answers 503 to all but health paths: a kubelet must always get an answer. */
function serveOnlyHealth(closed: () => string | undefined): Middleware {
  const open: ReadonlySet<string> = new Set(HEALTH_PATHS)
  return (ctx, next) => {
    const reason = closed()
    if (reason === undefined || open.has(ctx.path)) return next()
    throw unavailable(`Cannot serve: ${reason}`)
  }
}

/** The outermost middleware, so that it sees the codes of failures. It runs at each request and allocates little. */
function observeRequests(telemetry: Telemetry, log: Logger): Middleware {
  return async (ctx, next) => {
    const startedAt = performance.now()
    await next()
    const route: unknown = ctx._matchedRoute
    const ms = performance.now() - startedAt
    telemetry.observeRequest(typeof route === 'string' ? route : 'none', ctx.status, ms / 1000)
    if (log.isLevelEnabled('debug')) {
      log.debug({ method: ctx.method, url: ctx.url, code: ctx.status, ms }, 'request')
    }
  }
}
