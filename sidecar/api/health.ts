// The health paths for kubelets. The state of Flux is in the text of an answer, never in its code: a pod that is not ready is
// removed from DNS, and then no worker finds the lead broker. Only a sidecar that has stopped to read Flux is not alive.

import type { Context } from 'koa'
import type Router from 'koa-router'
import type { Reading, SnapshotSource } from '#scaling/snapshot.ts'
import { formatTime } from '#serving/time.ts'

/** Answered to every client, at any load: a kubelet that gets no answer kills the container. */
export const HEALTH_PATHS = ['/livez', '/readyz', '/healthz'] as const

/** Whether the sidecar wants traffic; not while it shuts down. */
export interface Readiness {
  readonly ready: boolean
  readonly message: string
}

export interface HealthOptions {
  readonly source: SnapshotSource
  readonly readiness: () => Readiness
  /** Why only a restart helps; `undefined` if there is no reason. */
  readonly stalled?: () => string | undefined
}

/** Adds the health paths. */
export function routeHealth(router: Router, options: HealthOptions): void {
  const { source, readiness, stalled } = options
  const respond = (ctx: Context) => {
    const { ready, message } = readiness()
    ctx.status = ready ? 200 : 503
    sendText(ctx, `${ready ? 'ok' : 'not ready'}: ${message}\n${describe(source.reading())}\n`)
  }
  router.get('/livez', (ctx) => {
    const reason = stalled?.()
    ctx.status = reason === undefined ? 200 : 503
    sendText(ctx, reason === undefined ? 'ok\n' : `not alive: ${reason}\n`)
  })
  router.get('/readyz', respond)
  router.get('/healthz', respond)
}

function sendText(ctx: Context, text: string): void {
  ctx.set('Content-Type', 'text/plain; charset=utf-8')
  ctx.body = text
}

function describe(reading: Reading): string {
  if (reading.kind === 'fresh')
    return `Flux: fresh, read at ${formatTime(reading.snapshot.takenAt)}`
  const { reason, since } = reading
  const last = since === undefined ? 'never read' : `last read at ${formatTime(since)}`
  return `Flux: stale, ${last}: ${reason}`
}
