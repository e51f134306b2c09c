// Health and Prometheus metrics of the webhook and of the gateway: routes that kubelets and Prometheus ask.
import { Readable } from 'node:stream'
import Koa, { type Context } from 'koa'
import Router from 'koa-router'
import { failures, logUnsent } from '#serving/failure.ts'
import type { Logger } from '#serving/log.ts'

/** Answered to every client, at any load: a kubelet that gets no answer kills the container. */
export const HEALTH_PATHS = ['/livez', '/readyz', '/healthz'] as const

/** Whether the Service may send requests to this replica, and why (or why not). */
export interface Readiness {
  readonly ready: boolean
  readonly message: string
}

/** Of the port that is theirs alone. */
export const HEALTH_LIMITS = {
  connections: 64,
  peerConnections: 16,
  requests: 64,
  peerRequests: 16,
}

/**
 * Time between the end of readiness and the end of serving: after it no API server sends requests to this replica. The kubelet
 * sees the end of readiness after 2 s, and API servers and kube-proxy may hear of it seconds later.
 */
export const LINGER_MS = 10_000

export interface HealthAppOptions {
  readonly readiness: () => Readiness
  readonly telemetry: {
    readonly contentType: string
    /** The page, or the parts of a long one, which are not copied. */
    render(): Promise<string | readonly (string | Buffer)[]>
  }
  readonly log: Logger
}

/** Creates the app of the port that is theirs alone. */
export function createHealthApp({ readiness, telemetry, log }: HealthAppOptions): Koa {
  const router = new Router({ strict: true, sensitive: true })
  routeHealth(router, readiness)
  router.get('/metrics', async (ctx) => {
    const page = await telemetry.render()
    ctx.set('Content-Type', telemetry.contentType)
    ctx.set('X-Content-Type-Options', 'nosniff')
    ctx.body = typeof page === 'string' ? page : Readable.from(page)
  })
  const app = new Koa()
  logUnsent(app, log)
  app.use(failures(log))
  app.use(router.routes())
  return app
}

export function routeHealth(router: Router, readiness: () => Readiness): void {
  router.get('/livez', (ctx) => sendText(ctx, 'ok'))
  router.get(['/readyz', '/healthz'], (ctx) => {
    const { ready, message } = readiness()
    ctx.status = ready ? 200 : 503
    sendText(ctx, `${ready ? 'ok' : 'not ready'}: ${message}`)
  })
}

function sendText(ctx: Context, text: string): void {
  ctx.type = 'text/plain'
  ctx.body = `${text}\n`
}
