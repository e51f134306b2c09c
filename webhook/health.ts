// Health and Prometheus metrics of the webhook and of the gateway: routes that kubelets and Prometheus ask.
import Koa, { type Context } from 'koa'
import Router from 'koa-router'
import { failures, logUnsent } from '#serving/failure.ts'
import type { Logger } from '#serving/log.ts'

/** Whether the Service may send requests to this replica, and why (or why not). */
export interface Readiness {
  readonly ready: boolean
  readonly message: string
}

export interface HealthAppOptions {
  readonly readiness: () => Readiness
  readonly telemetry: { readonly contentType: string; render(): Promise<string> }
  readonly log: Logger
}

/** Creates the app of the port that is theirs alone. */
export function createHealthApp({ readiness, telemetry, log }: HealthAppOptions): Koa {
  const router = new Router({ strict: true, sensitive: true })
  routeHealth(router, readiness)
  router.get('/metrics', async (ctx) => {
    const text = await telemetry.render()
    ctx.set('Content-Type', telemetry.contentType)
    ctx.body = text
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
