// The calls about resources, typed: what there is, what is up, what is allocated, and drains.

import { EMPTY_IDSET, formatIdset, type Idset, parseIdset, unionIdsets } from '../sets/idset.ts'
import { EMPTY_RESOURCE_SET, parseResourceSet, type ResourceSet } from '../sets/resource-set.ts'
import type { Client } from '../wire/client.ts'
import { isJsonObject, type JsonObject } from '../wire/payload.ts'
import { idsetAt, partAt, unexpected } from './answer.ts'
import { LEAD_RANK, type Limits } from './broker-calls.ts'

/** Everything the scheduler has, what of it is allocated, and the whole nodes that are down. */
export interface SchedStatus {
  readonly all: ResourceSet
  readonly allocated: ResourceSet
  readonly down: ResourceSet
  /** Ranks of `all` by property (RFC 20): queues require some. */
  readonly properties: ReadonlyMap<string, Idset>
}

/**
 * The two methods that tell a {@link SchedStatus}: the core's, since 0.61, and the scheduler's own, which is dearer,
 * owner-only in some releases, and says `null` for an empty set under Fluxion.
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
  if (all === EMPTY_RESOURCE_SET) throw unexpected(topic, 'all', 'a resource set', answer.all)
  return {
    all,
    allocated: resourceSetAt(answer, 'allocated', topic),
    down: resourceSetAt(answer, 'down', topic),
    properties: propertiesOf(answer.all, topic),
  }
}

/** Ranks that were drained together. */
export interface Drain {
  readonly ranks: Idset
  /** Empty if none was given. */
  readonly reason: string
  /** When, by the broker's clock, in seconds since the epoch; `undefined` if Flux does not say. */
  readonly drainedAt: number | undefined
}

/** All ranks that are drained, by whomever. */
export function drainedRanks(drains: readonly Drain[]): Idset {
  return drains.map(({ ranks }) => ranks).reduce(unionIdsets, EMPTY_IDSET)
}

/** Ranks by condition, as the resource module has them; a drained rank may be online or offline. */
export interface ResourceStatus {
  readonly offline: Idset
  /** Online, but not answering; none before 0.65, which does not tell. */
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
 * Keeps ranks from the scheduler; what runs there runs on. For the owner only.
 *
 * @throws FluxError `FLUX_REMOTE` with EEXIST if one of them is drained already, then none was; EPERM for guests
 */
export async function drain(
  client: Client,
  { ranks, reason }: Pick<Drain, 'ranks' | 'reason'>,
  limits: Limits,
): Promise<void> {
  // Without a mode: the others would replace an administrator's reason.
  const args = { targets: formatIdset(ranks), reason }
  await client.call('resource.drain', args, { ...limits, nodeid: LEAD_RANK })
}

/** Gives ranks back to the scheduler. @throws FluxError as {@link drain}: EEXIST if one is not drained */
export async function undrain(client: Client, ranks: Idset, limits: Limits): Promise<void> {
  const args = { targets: formatIdset(ranks) }
  await client.call('resource.undrain', args, { ...limits, nodeid: LEAD_RANK })
}

/** The ranks that are online, now and after each change. */
export async function* watchOnline(client: Client, limits: Limits): AsyncGenerator<Idset> {
  const topic = 'groups.get'
  const options = { ...limits, nodeid: LEAD_RANK }
  for await (const answer of client.stream(topic, { name: 'broker.online' }, options)) {
    yield idsetAt(answer, 'members', topic)
  }
}

/**
 * Something about the inventory changed: drained, undrained, online, torpid … The answers are not looked into.
 * Owner only, since 0.72.
 */
export async function* watchResources(client: Client, limits: Limits): AsyncGenerator<void> {
  const options = { ...limits, nodeid: LEAD_RANK }
  for await (const _ of client.stream('resource.journal', undefined, options)) yield
}

function resourceSetAt(answer: JsonObject, key: string, topic: string): ResourceSet {
  const value = answer[key]
  if (value === undefined) throw unexpected(topic, key, 'a resource set or null', value)
  return partAt({ topic, key }, () => parseResourceSet(value))
}

function propertiesOf(set: unknown, topic: string): ReadonlyMap<string, Idset> {
  const execution = isJsonObject(set) ? set.execution : undefined
  const properties = isJsonObject(execution) ? (execution.properties ?? {}) : {}
  if (!isJsonObject(properties)) throw unexpected(topic, 'properties', 'an object', properties)
  return new Map(Object.keys(properties).map((name) => [name, idsetAt(properties, name, topic)]))
}
