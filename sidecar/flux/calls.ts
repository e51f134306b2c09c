// The calls we make, typed: one function a method, arguments in, checked answer out. When to call what is up to the caller.
import type { CallOptions, Client } from './client.ts'
import { FluxError } from './errors.ts'
import { type Idset, parseIdset, unionIdsets } from './idset.ts'
import { isJsonObject, type JsonObject } from './payload.ts'
import { EMPTY_RESOURCE_SET, parseResourceSet, type ResourceSet } from './resource-set.ts'

/** `resource.*` answers on rank 0 only. */
const LEAD_RANK = 0

/** Deadline and signal of a call; the rank to ask is the call's own business. */
export type Limits = Omit<CallOptions, 'nodeid'>

/** Value of a broker attribute of the broker we are connected to, e.g. `version`. */
export async function getAttribute(client: Client, name: string, limits: Limits): Promise<string> {
  const answer = await client.call('attr.get', { name }, limits)
  return stringAt(answer, 'value', 'attr.get')
}

/** Phase of the instance: only in `run` are all other figures complete. */
export async function getBrokerState(client: Client, limits: Limits): Promise<string> {
  const topic = 'state-machine.get'
  return stringAt(
    await client.call(topic, undefined, { ...limits, nodeid: LEAD_RANK }),
    'state',
    topic,
  )
}

/** Everything the scheduler has, what of it is allocated, and the whole nodes that are down. */
export interface SchedStatus {
  readonly all: ResourceSet
  readonly allocated: ResourceSet
  readonly down: ResourceSet
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
  }
}

/** Ranks by condition, as the resource module has them; a drained rank may be online or offline. */
export interface ResourceStatus {
  readonly offline: Idset
  readonly drained: Idset
}

export async function getResourceStatus(client: Client, limits: Limits): Promise<ResourceStatus> {
  const topic = 'resource.status'
  const answer = await client.call(topic, undefined, { ...limits, nodeid: LEAD_RANK })
  if (!isJsonObject(answer.drain)) throw unexpected(topic, 'drain', 'an object', answer.drain)
  return {
    offline: parseIdset(stringAt(answer, 'offline', topic)),
    drained: Object.keys(answer.drain).map(parseIdset).reduce(unionIdsets, parseIdset('')),
  }
}

/** States of jobs that `job-list.job-stats` counts; it does not see jobs in NEW but in `total`. */
const JOB_STATES = ['depend', 'priority', 'sched', 'run', 'cleanup', 'inactive', 'total'] as const
const JOB_RESULTS = ['successful', 'failed', 'canceled', 'timeout'] as const

/** Counts of jobs by state, and of the inactive ones that are still remembered by result. */
export type JobStats = Readonly<
  Record<(typeof JOB_STATES)[number] | (typeof JOB_RESULTS)[number], number>
>

/** Job counts of the instance and of each named queue. */
export interface InstanceJobStats {
  readonly total: JobStats
  readonly queues: ReadonlyMap<string, JobStats>
}

const JOB_STATS = 'job-list.job-stats'

export async function getJobStats(client: Client, limits: Limits): Promise<InstanceJobStats> {
  return parseJobStats(await client.call(JOB_STATS, {}, { ...limits, nodeid: LEAD_RANK }))
}

/** The counts now and after each change, at most five times a second. Streams since 0.55; before, it answers once. */
export async function* watchJobStats(
  client: Client,
  limits: Limits,
): AsyncGenerator<InstanceJobStats> {
  const options = { ...limits, nodeid: LEAD_RANK }
  for await (const answer of client.stream(JOB_STATS, {}, options)) yield parseJobStats(answer)
}

/** The ranks that are online, now and after each change. */
export async function* watchOnline(client: Client, limits: Limits): AsyncGenerator<Idset> {
  const topic = 'groups.get'
  const options = { ...limits, nodeid: LEAD_RANK }
  for await (const answer of client.stream(topic, { name: 'broker.online' }, options)) {
    yield parseIdset(stringAt(answer, 'members', topic))
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

function parseJobStats(answer: JsonObject): InstanceJobStats {
  const queues = new Map<string, JobStats>()
  // Before 0.45 there were no named queues, and no key for them.
  const list = answer.queues ?? []
  if (!Array.isArray(list)) throw unexpected(JOB_STATS, 'queues', 'an array', list)
  for (const queue of list) {
    if (!isJsonObject(queue)) throw unexpected(JOB_STATS, 'queues[]', 'an object', queue)
    queues.set(stringAt(queue, 'name', JOB_STATS), parseCounts(queue))
  }
  return { total: parseCounts(answer), queues }
}

function parseCounts(answer: JsonObject): JobStats {
  const states = answer.job_states
  if (!isJsonObject(states)) throw unexpected(JOB_STATS, 'job_states', 'an object', states)
  const count = (from: JsonObject, key: string) => countAt(from, key, JOB_STATS)
  return {
    depend: count(states, 'depend'),
    priority: count(states, 'priority'),
    sched: count(states, 'sched'),
    run: count(states, 'run'),
    cleanup: count(states, 'cleanup'),
    inactive: count(states, 'inactive'),
    total: count(states, 'total'),
    successful: count(answer, 'successful'),
    failed: count(answer, 'failed'),
    canceled: count(answer, 'canceled'),
    timeout: count(answer, 'timeout'),
  }
}

function resourceSetAt(answer: JsonObject, key: string, topic: string): ResourceSet {
  const value = answer[key]
  if (value === undefined) throw unexpected(topic, key, 'a resource set or null', value)
  return parseResourceSet(value)
}

function stringAt(answer: JsonObject, key: string, topic: string): string {
  const value = answer[key]
  if (typeof value !== 'string') throw unexpected(topic, key, 'a string', value)
  return value
}

function countAt(answer: JsonObject, key: string, topic: string): number {
  const value = answer[key]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw unexpected(topic, key, 'a count', value)
}

function unexpected(topic: string, key: string, wanted: string, got: unknown): FluxError {
  const shown = String(
    JSON.stringify(got, (_, part) => (typeof part === 'bigint' ? `${part}` : part)),
  )
  const message = `Cannot read the answer to "${topic}": expected ${wanted} at "${key}", got ${shown.slice(0, 80)}`
  return new FluxError('FLUX_PROTOCOL', message, { topic })
}
