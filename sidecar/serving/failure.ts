// The only place where an error becomes a response. Refusals before the app, such as overload, are in https/refusals.ts.
import type Koa from 'koa'
import type { Context, Middleware } from 'koa'
import type { Logger } from './log.ts'
import { internalError, methodNotAllowed, notFound, StatusError } from './status.ts'

/**
 * Outermost middleware: answers an error with its Status, an unknown path with 404, a wrong method with 405. An error
 * that is not a StatusError is a defect: it is logged, and the caller sees a constant text.
 *
 * @param postPaths paths that accept only POST; all others accept only GET
 */
export function failures(log: Logger, postPaths: readonly string[] = []): Middleware {
  return async (ctx, next) => {
    try {
      const method = postPaths.includes(ctx.path) ? 'POST' : 'GET'
      if (ctx.method !== method) {
        ctx.set('Allow', method)
        throw methodNotAllowed(ctx.method, method)
      }
      await next()
      // A handler that answers without a body (304) sets the status itself.
      if (ctx.body === undefined && ctx.status === 404)
        throw notFound(`Nothing is served at "${ctx.path}"`)
    } catch (cause) {
      const error = cause instanceof StatusError ? cause : internalError(cause)
      if (error.code === 500) log.error({ err: cause, path: ctx.path }, 'request failed')
      ctx.status = error.code
      ctx.type = 'application/json'
      ctx.body = JSON.stringify(error.toStatus())
    }
  }
}

/**
 * Logs answers that cannot be sent; without a listener koa would print to the console. That a client has left is no failure,
 * and clients could fill the log with it.
 */
export function logUnsent(app: Koa, log: Logger): void {
  app.on('error', (err: unknown, ctx?: Context) => {
    if (ctx?.writable === false) log.debug({ err }, 'the client left before its answer')
    else log.warn({ err }, 'cannot send an answer')
  })
}
