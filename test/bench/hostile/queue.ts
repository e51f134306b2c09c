// A queue that a hostile user could submit, as the answers that a broker gives about it.
import type { JsonObject } from '#flux/wire/payload.ts'

/** A pending job: what job-list says of it, and its jobspec. */
export interface HostileJob {
  /** Attributes that differ from those of a one-core job. */
  readonly listed?: JsonObject
  /** Asked for by the owner. Without one the job has a slot with one core. */
  readonly jobspec?: JsonObject
}

export interface HostileQueue {
  readonly name: string
  /** Guests see no jobspecs. */
  readonly role: 'owner' | 'guest'
  /** R (RFC 20). */
  readonly resources: JsonObject
  /** How many jobs are pending. */
  readonly count: number
  /** The first id; ids that follow are 2^24 higher each (RFC 19). */
  readonly firstId: bigint
  job(index: number): HostileJob
}

const NODES = 10_000

/** An instance of an hour: its ids are far below 2^53. */
const AN_HOUR = 3_600_000n << 24n

export const A_WEEK = 7n * 24n * AN_HOUR

/** R with the same cores on every rank. */
export function evenResources({
  nodes = NODES,
  cores = 64,
  gpus = 0,
  properties = {},
}: {
  readonly nodes?: number
  readonly cores?: number
  readonly gpus?: number
  readonly properties?: JsonObject
} = {}): JsonObject {
  const children = { core: `0-${cores - 1}`, ...(gpus > 0 && { gpu: `0-${gpus - 1}` }) }
  return resourceSet([{ rank: `0-${nodes - 1}`, children }], { nodes, properties })
}

/** R in which no rank has as many cores as its neighbours. */
export function fragmentedResources(): JsonObject {
  const entries = Array.from({ length: 16 }, (_, kind) => ({
    rank: everyNth(16, kind),
    children: { core: kind === 0 ? '0' : `0-${kind}` },
  }))
  return resourceSet(entries, { nodes: NODES, properties: {} })
}

function resourceSet(
  entries: readonly JsonObject[],
  { nodes, properties }: { readonly nodes: number; readonly properties: JsonObject },
): JsonObject {
  return {
    version: 1,
    execution: {
      R_lite: entries,
      starttime: 0,
      expiration: 0,
      nodelist: [`flux-sample-[0-${nodes - 1}]`],
      properties,
    },
  }
}

/** Every n-th rank from `first` on. */
export function everyNth(n: number, first = 0, end = NODES): string {
  const ranks: number[] = []
  for (let rank = first; rank < end; rank += n) ranks.push(rank)
  return ranks.join()
}

/** A queue of 10,000 jobs on 10,000 nodes, read by the owner, unless it is said otherwise. */
export function queueOf(
  name: string,
  job: HostileQueue['job'],
  changes: Partial<HostileQueue> = {},
): HostileQueue {
  const resources = evenResources()
  return { name, role: 'owner', resources, count: NODES, firstId: AN_HOUR, job, ...changes }
}

/** A jobspec with these resources and, perhaps, a constraint. */
export function jobspec(resources: unknown, constraints?: JsonObject): JsonObject {
  const system = { duration: 0, ...(constraints && { constraints }) }
  return { version: 1, resources, tasks: [], attributes: { system } }
}

export function slot(count: number, cores: number, more: readonly JsonObject[] = []): JsonObject {
  return { type: 'slot', count, label: 'task', with: [{ type: 'core', count: cores }, ...more] }
}
