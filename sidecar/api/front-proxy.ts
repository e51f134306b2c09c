// Lets only the front proxy, kube-apiserver's aggregator, read: it shows a client certificate. The aggregator has
// authenticated and authorized the user, whom it names in X-Remote-* headers. They decide nothing here; reader.ts asks whether
// the user is the HPA controller.
import type { Middleware } from 'koa'
import type { ClientVerifier } from '#serving/https/client-verifier.ts'
import { unauthorized } from '#serving/status.ts'

/** For refusals. */
export const FRONT_PROXY = {
  authority: "the front proxy's authority",
  hint: 'use kubectl get --raw, which asks through kube-apiserver',
} as const

/** Accepts verified clients, and every client at the open paths; answers 401 to others. Headers are not considered. */
export function authenticate(verifier: ClientVerifier, openPaths: ReadonlySet<string>): Middleware {
  return (ctx, next) => {
    if (openPaths.has(ctx.path)) return next()
    const verdict = verifier.verify(ctx.req.socket)
    if (verdict.kind === 'refused')
      throw unauthorized(`Cannot authenticate the client: ${verdict.reason}`)
    return next()
  }
}
