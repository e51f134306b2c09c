// The webhook's HTTP routes and the limits of their bodies. It opens no port: serving/https/server.ts does.
import Koa, { type Context } from 'koa'
import Router from 'koa-router'
import { failures, logUnsent } from '#serving/failure.ts'
import { readBody } from '#serving/https/body.ts'
import type { Logger } from '#serving/log.ts'
import { badRequest } from '#serving/status.ts'
import type { Admission } from './admission/admission.ts'
import type { Identities } from './identities/identities.ts'
import type { Telemetry } from './telemetry.ts'

/** API servers post their reviews to this path: `clientConfig.service.path` in manifests/. */
export const REVIEW_PATH = '/mutate'
const CERTIFICATES_PATH = '/certificates'

/** Paths of the probes. They are answered under any load, because a kubelet without an answer kills the container. */
export const HEALTH_PATHS = ['/livez', '/readyz'] as const

/**
 * The review of an update holds an object twice. etcd stores objects of up to 1.5 MiB, and the JSON of a review is much
 * longer than the stored form.
 */
const MAX_REVIEW_BYTES = 7 * 2 ** 20

/** A certificate request for P-256 has 500 bytes. */
const MAX_CERTIFICATE_REQUEST_BYTES = 16 * 2 ** 10

export interface AppOptions {
  readonly admission: Pick<Admission, 'review'>
  readonly identities: Pick<Identities, 'issue'>
  /** Whether the Service may send reviews to this replica, and why (or why not). */
  readonly readiness: () => { readonly ready: boolean; readonly message: string }
  readonly telemetry: Telemetry
  readonly log: Logger
}

/** Creates the koa app of the webhook. */
export function createApp(options: AppOptions): Koa {
  const app = new Koa()
  logUnsent(app, options.log)
  app.use(failures(options.log, [REVIEW_PATH, CERTIFICATES_PATH]))
  app.use(createRouter(options).routes())
  return app
}

function createRouter({ admission, identities, readiness, telemetry }: AppOptions): Router {
  const router = new Router({ strict: true, sensitive: true })
  router.post(REVIEW_PATH, async (ctx) => {
    const answer = await admission.review(await readJson(ctx, MAX_REVIEW_BYTES))
    ctx.type = 'application/json'
    ctx.body = answer
  })
  router.post(CERTIFICATES_PATH, async (ctx) => {
    const body = readJson(ctx, MAX_CERTIFICATE_REQUEST_BYTES)
    const identity = await identities.issue({ token: bearerToken(ctx), body })
    ctx.type = 'application/json'
    ctx.body = JSON.stringify(identity)
  })
  router.get('/livez', (ctx) => sendText(ctx, 'ok'))
  router.get('/readyz', (ctx) => {
    const { ready, message } = readiness()
    ctx.status = ready ? 200 : 503
    sendText(ctx, `${ready ? 'ok' : 'not ready'}: ${message}`)
  })
  router.get('/metrics', async (ctx) => {
    const text = await telemetry.registry.metrics()
    ctx.set('Content-Type', telemetry.registry.contentType)
    ctx.body = text
  })
  return router
}

/** Closes the connection if a body is not read to its end: the rest would be read as the next request. */
async function readJson(ctx: Context, maxBytes: number): Promise<Buffer> {
  try {
    if (ctx.is('application/json') === false) {
      throw badRequest(
        `Cannot read the body: expected application/json, got "${ctx.get('Content-Type')}"`,
      )
    }
    return await readBody(ctx.req, maxBytes)
  } catch (error) {
    ctx.set('Connection', 'close')
    throw error
  }
}

/** RFC 6750 §2.1. */
function bearerToken(ctx: Context): string | undefined {
  return /^Bearer ([\w\-.~+/]+=*)$/i.exec(ctx.get('Authorization'))?.[1]
}

function sendText(ctx: Context, text: string): void {
  ctx.type = 'text/plain'
  ctx.body = `${text}\n`
}
