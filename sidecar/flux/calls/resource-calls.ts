// Typed calls about resources: what exists, what is up, what is allocated, and drains.

import { FluxError } from '../errors.ts'
import {
  EMPTY_IDSET,
  formatIdset,
  type Idset,
  isEmpty,
  parseIdset,
  subtractIdsets,
  unionIdsets,
} from '../sets/idset.ts'
import { parseResourceSet, type ResourceSet } from '../sets/resource-set.ts'
import type { Client } from '../wire/client.ts'
import { isJsonObject, type JsonObject } from '../wire/payload.ts'
import { idsetAt, partAt, unexpected } from './answer.ts'
import { LEAD_RANK, type Limits } from './broker-calls.ts'

/** All resources of the scheduler, those that are allocated, and the nodes that are down. */
export interface SchedStatus {
  readonly all: ResourceSet
  readonly allocated: ResourceSet
  readonly down: ResourceSet
  /** Hostlists (RFC 29) of the ranks of `all`, in ascending order of ranks; empty if the broker does not say. */
  readonly hostlists: readonly string[]
  /** Ranks of `all` by property (RFC 20). Queues require properties. */
  readonly properties: ReadonlyMap<string, Idset>
}

/**
 * The two methods that return a {@link SchedStatus}: the one of flux-core since 0.61, and the scheduler's own. The latter
 * costs more, is for the owner only in some releases, and returns `null` for an empty set under Fluxion.
 */
export const SCHED_STATUS_TOPICS = ['resource.sched-status', 'sched.resource-status'] as const

export type SchedStatusTopic = (typeof SCHED_STATUS_TOPICS)[number]

/** @throws FluxError `FLUX_REMOTE` with ENOSYS where the broker does not have `topic` */
export async function getSchedStatus(
  client: Client,
  topic: SchedStatusTopic,
  limits: Limits,
): Promise<SchedStatus> {
  const answer = await client.call(topic, undefined, { ...limits, nodeid: LEAD_RANK })
  const all = resourceSetAt(answer, 'all', topic)
  if (all.segments.length === 0) {
    // Computed from no ranks at all, a size would be 1.
    const wanted = isJsonObject(answer.all) ? 'a resource set with ranks' : 'a resource set'
    throw unexpected(topic, 'all', wanted, answer.all)
  }
  return {
    all,
    allocated: resourceSetAt(answer, 'allocated', topic),
    down: resourceSetAt(answer, 'down', topic),
    hostlists: hostlistsOf(answer.all),
    properties: propertiesOf(answer.all, topic),
  }
}

/** Ranks that were drained together. */
export interface Drain {
  readonly ranks: Idset
  /** Empty for a drain without a reason. */
  readonly reason: string
  /** Time by the broker's clock, in seconds since the epoch. `undefined` if the answer has none. */
  readonly drainedAt: number | undefined
}

/** All drained ranks. */
export function drainedRanks(drains: readonly Drain[]): Idset {
  return drains.map(({ ranks }) => ranks).reduce(unionIdsets, EMPTY_IDSET)
}

/** Ranks by condition, from the resource module. A drained rank may be online or offline. */
export interface ResourceStatus {
  readonly offline: Idset
  /** Online, but not answering. Always empty before 0.65. */
  readonly torpid: Idset
  readonly drains: readonly Drain[]
}

export async function getResourceStatus(client: Client, limits: Limits): Promise<ResourceStatus> {
  const topic = 'resource.status'
  const answer = await client.call(topic, undefined, { ...limits, nodeid: LEAD_RANK })
  if (!isJsonObject(answer.drain)) throw unexpected(topic, 'drain', 'an object', answer.drain)
  return {
    offline: idsetAt(answer, 'offline', topic),
    torpid: answer.torpid === undefined ? EMPTY_IDSET : idsetAt(answer, 'torpid', topic),
    drains: Object.entries(answer.drain).map(([ranks, drain]) => {
      const { reason, timestamp } = isJsonObject(drain) ? drain : {}
      return {
        ranks: partAt({ topic, key: 'drain' }, () => parseIdset(ranks)),
        reason: typeof reason === 'string' ? reason : '',
        drainedAt: typeof timestamp === 'number' ? timestamp : undefined,
      }
    }),
  }
}

/**
 * Drains ranks: the scheduler does not use them, and jobs that run there continue. For the owner only.
 *
 * @throws FluxError `FLUX_REMOTE` with EEXIST if one of the ranks is already drained (then none of them was drained now), or
 * with EPERM for guests
 */
export async function drain(
  client: Client,
  { ranks, reason }: Pick<Drain, 'ranks' | 'reason'>,
  limits: Limits,
): Promise<void> {
  // There is no mode: the modes replace the reason of an administrator.
  const args = { targets: formatIdset(ranks), reason }
  await client.call('resource.drain', args, { ...limits, nodeid: LEAD_RANK })
}

/** Undrains ranks. @throws FluxError as {@link drain}, with EEXIST if one of the ranks is not drained */
export async function undrain(client: Client, ranks: Idset, limits: Limits): Promise<void> {
  const args = { targets: formatIdset(ranks) }
  await client.call('resource.undrain', args, { ...limits, nodeid: LEAD_RANK })
}

/** The online ranks, now and after each change. */
export async function* watchOnline(client: Client, limits: Limits): AsyncGenerator<Idset> {
  const topic = 'groups.get'
  const options = { ...limits, nodeid: LEAD_RANK }
  for await (const answer of client.stream(topic, { name: 'broker.online' }, options)) {
    yield idsetAt(answer, 'members', topic)
  }
}

/** A drain or an undrain, as the resource journal tells it (RFC 44). */
export interface DrainEvent extends Pick<Drain, 'ranks' | 'reason'> {
  readonly kind: 'drain' | 'undrain'
  /** Whether it changes the reason of ranks that were drained before. Otherwise they keep the one that they have. */
  readonly overwrites: boolean
}

/** Drains and undrains in their order. */
export interface DrainNews {
  readonly events: readonly DrainEvent[]
  /** Whether these are those of the past, as far as it is remembered: of each rank the latest. */
  readonly isPast: boolean
}

/** Brokers remember 100,000 events: those of the past that no longer count are dropped at so many. */
const MANY_EVENTS = 1_000

/**
 * Yields once for the past, and then for each change of the inventory: drained, undrained, online, torpid … Only drains are read,
 * and none of an unexpected form. For the owner only, since 0.72.
 */
export async function* watchResources(client: Client, limits: Limits): AsyncGenerator<DrainNews> {
  const options = { ...limits, nodeid: LEAD_RANK }
  let past: DrainEvent[] = []
  let room = MANY_EVENTS
  let isPast = true
  for await (const answer of client.stream('resource.journal', undefined, options)) {
    const all: readonly unknown[] = Array.isArray(answer.events) ? answer.events : []
    const events = all.flatMap(drainEventIn)
    if (!isPast) yield { events, isPast }
    else if (all.length > 0) {
      past.push(...events)
      if (past.length < room) continue
      past = latestOfEachRank(past)
      room = MANY_EVENTS + 2 * past.length
    } else {
      // An answer without events ends the past.
      yield { events: latestOfEachRank(past), isPast }
      past = []
      isPast = false
    }
  }
}

function latestOfEachRank(events: readonly DrainEvent[]): DrainEvent[] {
  const latest: DrainEvent[] = []
  let known = EMPTY_IDSET
  for (const event of events.toReversed()) {
    const ranks = subtractIdsets(event.ranks, known)
    if (isEmpty(ranks)) continue
    latest.push({ ...event, ranks })
    known = unionIdsets(known, ranks)
  }
  return latest.reverse()
}

function drainEventIn(event: unknown): readonly DrainEvent[] {
  const { name, context } = isJsonObject(event) ? event : {}
  if ((name !== 'drain' && name !== 'undrain') || !isJsonObject(context)) return []
  const { idset, reason, overwrite } = context
  const ranks = typeof idset === 'string' ? idsetOrNone(idset) : EMPTY_IDSET
  const overwrites = typeof overwrite === 'number' && overwrite > 0
  return [{ kind: name, ranks, reason: typeof reason === 'string' ? reason : '', overwrites }]
}

function idsetOrNone(text: string): Idset {
  try {
    return parseIdset(text)
  } catch (error) {
    if (error instanceof FluxError) return EMPTY_IDSET
    throw error
  }
}

function resourceSetAt(answer: JsonObject, key: string, topic: string): ResourceSet {
  const value = answer[key]
  if (value === undefined) throw unexpected(topic, key, 'a resource set or null', value)
  return partAt({ topic, key }, () => parseResourceSet(value))
}

/** Read only if a job names hosts, and checked then. */
function hostlistsOf(set: unknown): readonly string[] {
  const execution = isJsonObject(set) ? set.execution : undefined
  const nodelist: unknown = isJsonObject(execution) ? execution.nodelist : undefined
  return Array.isArray(nodelist) ? nodelist.filter((list) => typeof list === 'string') : []
}

function propertiesOf(set: unknown, topic: string): ReadonlyMap<string, Idset> {
  const execution = isJsonObject(set) ? set.execution : undefined
  const properties = isJsonObject(execution) ? (execution.properties ?? {}) : {}
  if (!isJsonObject(properties)) throw unexpected(topic, 'properties', 'an object', properties)
  return new Map(Object.keys(properties).map((name) => [name, idsetAt(properties, name, topic)]))
}
