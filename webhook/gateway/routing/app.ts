// Creates the koa app of the gateway's API: the middlewares in their order, and the routes. Discovery, OpenAPI and health are
// answered from memory, whatever else fails.
import Koa, { type Context, type Middleware } from 'koa'
import Router from 'koa-router'
import { EXTERNAL_GROUP, GROUP } from '#api/api-group.ts'
import { routeDiscovery } from '#api/documents/discovery.ts'
import { routeOpenapi } from '#api/documents/openapi.ts'
import type { OtherOpenapi } from '#api/documents/openapi-parts.ts'
import type { OtherResources } from '#api/documents/resources.ts'
import { routeVersion } from '#api/documents/version.ts'
import { authenticate } from '#api/front-proxy.ts'
import { explainMissingPaths } from '#api/missing-path.ts'
import { failures, logUnsent } from '#serving/failure.ts'
import type { ClientVerifier } from '#serving/https/client-verifier.ts'
import type { Logger } from '#serving/log.ts'
import type { RequestObserver } from '#serving/request-observer.ts'
import { HEALTH_PATHS, type Readiness, routeHealth } from '../../health.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { routeCustomMetrics } from './custom-routes.ts'
import { routeExternalMetrics } from './external-routes.ts'
import { RequestBudget } from './request-budget.ts'
import type { RouteOptions } from './routes.ts'

export interface AppOptions extends RouteOptions {
  readonly clients: ClientVerifier
  readonly readiness: () => Readiness
  /** Whether to serve external.metrics.k8s.io as well. */
  readonly external: boolean
  /** What the adapters list in discovery. */
  readonly others: OtherResources
  /** What they describe. */
  readonly otherOpenapi: OtherOpenapi
  readonly version: string
  readonly observeRequest: RequestObserver
  readonly log: Logger
}

export function createApp(options: AppOptions): Koa {
  const { clients, log, observeRequest, external } = options
  const app = new Koa()
  logUnsent(app, log)
  app.use(observeRequests(observeRequest))
  app.use(failures(log))
  app.use(authenticate(clients, new Set(HEALTH_PATHS)))
  app.use(createRouter(options).routes())
  app.use(passOn(GROUP, options.upstreams.custom))
  if (external) app.use(passOn(EXTERNAL_GROUP, options.upstreams.external))
  app.use(explainMissingPaths({ external }))
  return app
}

function createRouter(options: AppOptions): Router {
  const { readiness, external, version } = options
  const router = new Router({ strict: true, sensitive: true })
  const budget = new RequestBudget()
  routeCustomMetrics(router, options, budget)
  if (external) routeExternalMetrics(router, options, budget)
  routeDiscovery(router, options)
  routeOpenapi(router, options)
  routeHealth(router, readiness)
  routeVersion(router, version)
  return router
}

/** Forms of paths that only the adapter has, such as those of objects without a namespace. */
function passOn(group: string, upstream: Upstream | undefined): Middleware {
  const start = `/apis/${group}/`
  return (ctx: Context, next) =>
    upstream !== undefined && ctx.path.startsWith(start) ? upstream.forward(ctx) : next()
}

/** The outermost middleware, so that it sees the codes of failures. */
function observeRequests(observe: RequestObserver): Middleware {
  return async (ctx, next) => {
    const startedAt = performance.now()
    ctx.set('X-Content-Type-Options', 'nosniff')
    await next()
    const route: unknown = ctx._matchedRoute
    const seconds = (performance.now() - startedAt) / 1000
    observe(typeof route === 'string' ? route : 'none', ctx.status, seconds)
  }
}
