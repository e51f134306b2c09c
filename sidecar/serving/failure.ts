// The one place where an error becomes a response.
import type { Middleware } from 'koa'
import type { Logger } from './log.ts'
import { internalError, methodNotAllowed, notFound, StatusError } from './status.ts'

/**
 * Outermost middleware: errors become Status objects, paths that nobody answers 404, wrong methods 405.
 * An error that is no StatusError is a defect of ours: it is logged, and the caller gets a constant text.
 *
 * @param postPaths where POST is the method; everywhere else it is GET
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
      // An answer without a body (304) has set its status itself.
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
