// Who reads a metric. An HPA works in turns, so that its next reading proves that it has acted on the one before; that of anybody
// else, `kubectl get --raw` for example, proves nothing.
import type { IncomingHttpHeaders } from 'node:http'
import type { Middleware } from 'koa'
import type { Metric } from '#metrics/metric.ts'
import type { Reader } from '#scaling/snapshot.ts'

/**
 * The header in which the front proxy, and the gateway after it, name the user: the default of `--requestheader-username-headers`.
 * Where it has another name, nobody is taken for the HPA controller.
 */
export const USER_HEADER = 'x-remote-user'

/** The HPA controller, with and without `--use-service-account-credentials` of kube-controller-manager. */
const HPA_CONTROLLERS: ReadonlySet<string> = new Set([
  'system:serviceaccount:kube-system:horizontal-pod-autoscaler',
  'system:kube-controller-manager',
])

/** The user of a request of a verified front proxy, if it is the HPA controller. */
export function hpaController({ [USER_HEADER]: user }: IncomingHttpHeaders): string | undefined {
  return typeof user === 'string' && HPA_CONTROLLERS.has(user) ? user : undefined
}

/** Who is given a value of this metric by a request of a verified front proxy. */
export function readerOf(
  headers: IncomingHttpHeaders,
  { isPublishedSize }: Pick<Metric, 'isPublishedSize'>,
): Reader {
  return isPublishedSize === true && hpaController(headers) !== undefined ? 'hpa' : 'other'
}

/** For a server that authenticates no clients: whoever asks may name any user. */
export const believeNoUser: Middleware = (ctx, next) => {
  delete ctx.req.headers[USER_HEADER]
  return next()
}
