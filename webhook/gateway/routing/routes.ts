// What the routes of both groups share: whom they ask, the adapters that served the groups before, and the time for an answer.
import type { Context } from 'koa'
import type { Catalog } from '#metrics/catalog.ts'
import type { StatusError } from '#serving/status.ts'
import { unavailable } from '#serving/status.ts'
import { printableJson, printableLines } from '#serving/text.ts'
import type { SidecarAnswer, Sidecars } from '../asking/sidecar-answer.ts'
import type { MiniClusterName, Peers } from '../peers/peer.ts'
import type { ShortageSource } from '../shortage/shortages.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** Sidecars answer from memory, in milliseconds. An HPA that waits holds up others. */
const ANSWER_MS = 1_000

/** Who knows why a MiniCluster has no sidecar. */
export interface AbsenceReasons {
  /** @param deadline in milliseconds of `performance.now()` */
  whyAbsent(name: MiniClusterName, deadline: number): Promise<StatusError>
}

export interface RouteOptions {
  readonly peers: Peers
  readonly sidecars: Sidecars
  readonly absences: AbsenceReasons
  readonly shortages: ShortageSource
  /** The metrics that every sidecar has. */
  readonly catalog: Catalog
  /** The adapters that served the groups before; `undefined` where there was none. */
  readonly upstreams: {
    readonly custom: Upstream | undefined
    readonly external: Upstream | undefined
  }
}

export interface Call extends MiniClusterName {
  /** Path and query, as the sidecar serves them. */
  readonly path: string
  readonly accept?: string
  /** The HPA controller, if it asks. */
  readonly user?: string | undefined
}

/** The time until which a request that came now is answered, in milliseconds of `performance.now()`. */
export function deadlineOfNow(): number {
  return performance.now() + ANSWER_MS
}

/**
 * Asks one sidecar, or finds out why there is none.
 *
 * @throws StatusError
 */
export async function askOne(
  options: RouteOptions,
  { namespace, minicluster, path, accept, user }: Call,
  deadline: number,
): Promise<SidecarAnswer> {
  const name = { namespace, minicluster }
  await expectPresent(options, name, deadline)
  return options.sidecars.ask({
    ...name,
    path,
    deadline,
    ...(accept === undefined ? {} : { accept }),
    ...(user === undefined ? {} : { user }),
  })
}

/** @throws StatusError that says why the MiniCluster has no pod with a sidecar */
export async function expectPresent(
  { peers, absences }: RouteOptions,
  { namespace, minicluster }: MiniClusterName,
  deadline: number,
): Promise<void> {
  const name = { namespace, minicluster }
  if (knownPeers(peers).find(name).kind === 'absent') throw await absences.whyAbsent(name, deadline)
}

/** @throws StatusError 503 before the pods were listed: until then everybody would seem to be absent */
export function knownPeers(peers: Peers): Peers {
  if (peers.missing === undefined) return peers
  throw unavailable(`Cannot find sidecars: ${peers.missing}`)
}

export function send(ctx: Context, { contentType, body }: SidecarAnswer): void {
  ctx.set('Content-Type', contentType)
  ctx.body = contentType === 'application/json' ? printableJson(body) : printableLines(body)
}
