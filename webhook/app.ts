// The HTTP routes of two of the webhook's servers: reviews and certificates. Opens no port: servers.ts does.
import Koa, { type Context } from 'koa'
import Router from 'koa-router'
import { failures, logUnsent } from '#serving/failure.ts'
import { readBody } from '#serving/https/body.ts'
import { BodyBudget } from '#serving/https/body-budget.ts'
import type { ClientVerifier } from '#serving/https/client-verifier.ts'
import type { Logger } from '#serving/log.ts'
import { badRequest, notFound, unauthorized } from '#serving/status.ts'
import type { Admission } from './admission/admission.ts'
import { CERTIFICATES_PORT } from './contract.ts'
import { type Readiness, routeHealth } from './health.ts'
import type { Identities } from './identities/identities.ts'

/** API servers post their reviews to this path: `clientConfig.service.path` in manifests/. */
export const REVIEW_PATH = '/mutate'
const CERTIFICATES_PATH = '/certificates'

/**
 * The review of an update holds an object twice. etcd stores objects of up to 1.5 MiB, and the JSON of a review is much
 * longer than the stored form.
 */
const MAX_REVIEW_BYTES = 7 * 2 ** 20

/** A certificate request for P-256 has 500 bytes. */
const MAX_CERTIFICATE_REQUEST_BYTES = 16 * 2 ** 10

/**
 * The longest review, and a few that are merely long: with its objects it takes 45 MiB, and the container has 192. One user
 * can make an API server send long reviews all the time. Those of usual pods and MiniClusters have less than the bytes that
 * are not counted, and are read meanwhile.
 */
const REVIEW_BUDGET = { bytes: 10 * 2 ** 20, peerBytes: 8 * 2 ** 20, uncountedBytes: 2 ** 15 }

const CERTIFICATE_BUDGET = { bytes: 2 ** 20, peerBytes: 2 ** 18 }

export interface ReviewAppOptions {
  readonly admission: Pick<Admission, 'review'>
  readonly readiness: () => Readiness
  /** `undefined`: reviews are taken from anybody. */
  readonly clients: ClientVerifier | undefined
  readonly log: Logger
}

/** Creates the app that API servers ask. */
export function createReviewApp({ admission, readiness, clients, log }: ReviewAppOptions): Koa {
  const budget = new BodyBudget(REVIEW_BUDGET)
  const router = createRouter()
  router.post(REVIEW_PATH, async (ctx) => {
    const limits = { maxBytes: MAX_REVIEW_BYTES, budget }
    const body = await closingOnFailure(ctx, () => {
      verify(ctx, clients)
      return readJson(ctx, limits)
    })
    const answer = await admission.review(body)
    ctx.type = 'application/json'
    ctx.body = answer
  })
  router.post(CERTIFICATES_PATH, (ctx) => {
    ctx.set('Connection', 'close')
    throw notFound(`Certificates are issued on port ${CERTIFICATES_PORT} of this Service`)
  })
  routeHealth(router, readiness)
  return createApp(log, router, [REVIEW_PATH, CERTIFICATES_PATH])
}

export interface CertificateAppOptions {
  readonly identities: Pick<Identities, 'issue'>
  readonly log: Logger
}

/** Creates the app that sidecars ask. */
export function createCertificateApp({ identities, log }: CertificateAppOptions): Koa {
  const budget = new BodyBudget(CERTIFICATE_BUDGET)
  const router = createRouter()
  router.post(CERTIFICATES_PATH, async (ctx) => {
    const limits = { maxBytes: MAX_CERTIFICATE_REQUEST_BYTES, budget }
    const { remoteAddress: peer = '' } = ctx.req.socket
    const body = closingOnFailure(ctx, () => readJson(ctx, limits))
    const identity = await identities.issue({ token: bearerToken(ctx), body, peer })
    ctx.type = 'application/json'
    ctx.body = JSON.stringify(identity)
  })
  return createApp(log, router, [CERTIFICATES_PATH])
}

function createRouter(): Router {
  return new Router({ strict: true, sensitive: true })
}

function createApp(log: Logger, router: Router, postPaths: readonly string[]): Koa {
  const app = new Koa()
  logUnsent(app, log)
  app.use(failures(log, postPaths))
  app.use(router.routes())
  return app
}

function verify(ctx: Context, clients: ClientVerifier | undefined): void {
  const verdict = clients?.verify(ctx.req.socket)
  if (verdict?.kind !== 'refused') return
  throw unauthorized(`Cannot take a review from this client: ${verdict.reason}`)
}

/** Closes the connection if a body is not read to its end: the rest would be read as the next request. */
async function closingOnFailure<T>(ctx: Context, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    ctx.set('Connection', 'close')
    throw error
  }
}

async function readJson(ctx: Context, limits: Parameters<typeof readBody>[1]): Promise<Buffer> {
  if (ctx.is('application/json') === false) {
    throw badRequest(
      `Cannot read the body: expected application/json, got "${ctx.get('Content-Type')}"`,
    )
  }
  return await readBody(ctx, limits)
}

/** RFC 6750 §2.1. */
function bearerToken(ctx: Context): string | undefined {
  return /^Bearer ([\w\-.~+/]+=*)$/i.exec(ctx.get('Authorization'))?.[1]
}
