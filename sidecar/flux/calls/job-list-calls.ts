// Typed calls that list jobs (RFC 43). The caller must limit each list: the broker builds it in memory and serves no other
// request meanwhile.

import { EMPTY_IDSET, type Idset } from '../sets/idset.ts'
import { mapInTurns } from '../turns.ts'
import type { Client } from '../wire/client.ts'
import { isJsonObject, type JsonObject } from '../wire/payload.ts'
import { arrayAt, idsetAt, numberAt, unexpected } from './answer.ts'
import { LEAD_RANK, type Limits } from './broker-calls.ts'
import {
  estimateOf,
  idOf,
  JOB_LIST,
  optionalCount,
  optionalNumber,
  optionalString,
  orUndefined,
} from './job-attributes.ts'

/** Bits of states (RFC 21). */
const STATES = { DEPEND: 2, PRIORITY: 4, SCHED: 8, RUN: 16, CLEANUP: 32, INACTIVE: 64 } as const

const PENDING = STATES.DEPEND | STATES.PRIORITY | STATES.SCHED
const RUNNING = STATES.RUN | STATES.CLEANUP

/** Bits of results. */
const FAILED = 2

const ANY_USER = 0xffffffff

/** A number, or a `bigint` for an id beyond 2^53. Ids are this large from the seventh day of an instance on. */
export type JobId = number | bigint

type PendingState = 'DEPEND' | 'PRIORITY' | 'SCHED'

/**
 * A waiting job, with the attributes that decide about its start. An attribute that job-list omits is `undefined`, and so is
 * one that has an unexpected form.
 */
export interface PendingJob {
  readonly id: JobId
  readonly state: PendingState
  readonly userid: number | undefined
  /** 0: held. `undefined` before the job has a priority. */
  readonly priority: number | undefined
  readonly queue: string | undefined
  readonly ntasks: number | undefined
  /** `undefined` if the job does not request nodes. */
  readonly nnodes: number | undefined
  /** `undefined` for whole nodes (`--exclusive`). */
  readonly ncores: number | undefined
  /** Time limit in seconds. 0: none. */
  readonly duration: number | undefined
  /** Seconds since the epoch. */
  readonly submittedAt: number | undefined
  /** When the scheduler expects to start the job, in seconds since the epoch. `undefined` without an estimate. */
  readonly startEstimate: number | undefined
  /** An attribute that says where and when the job may start has an unexpected form: which one, as an error says it. */
  readonly oddity?: string
}

/** The requested attributes of a waiting job. They are few, because the broker builds the list in memory. */
export const PENDING_ATTRIBUTES = [
  'state',
  'userid',
  'priority',
  'queue',
  'ntasks',
  'nnodes',
  'ncores',
  'duration',
  't_submit',
  'annotations',
] as const

/** The annotations of 10,000 jobs by a scheduler are a quarter of it; a user may write notes of any length. */
const MAX_LIST_BYTES = 4 * 1024 * 1024

export interface PendingQuery {
  readonly maxEntries: number
  /** `false`: without annotations, and so without estimates. Default: with them. */
  readonly withEstimates?: boolean
  /** Jobs of these queues are left out (since 0.53; before, it is ignored). Default: none. */
  readonly withoutQueues?: readonly string[]
}

/**
 * At most `maxEntries` waiting jobs, highest priority first.
 *
 * @throws FluxError `FLUX_REMOTE` with EMSGSIZE if the list is larger than 4 MiB
 */
export async function listPendingJobs(
  client: Client,
  { maxEntries, withEstimates = true, withoutQueues = [] }: PendingQuery,
  limits: Limits,
): Promise<readonly PendingJob[]> {
  const attrs = PENDING_ATTRIBUTES.filter((name) => withEstimates || name !== 'annotations')
  const and = withoutQueues.length === 0 ? [] : [{ not: [{ queue: withoutQueues }] }]
  const query = { states: PENDING, maxEntries, attrs, and }
  return mapInTurns(await list(client, query, limits), toPendingJob)
}

/** A job that has resources allocated. */
export interface RunningJob {
  readonly id: JobId
  readonly userid: number | undefined
  readonly ranks: Idset
  /** When its time limit is reached, in seconds since the epoch. 0: never. `undefined` if the answer has an unexpected form. */
  readonly expiration: number | undefined
}

/**
 * At most `maxEntries` running jobs, latest first. With `ranks`: only jobs on one of these ranks (since 0.64; before 0.53 it is
 * ignored).
 *
 * @throws FluxError `FLUX_REMOTE` with EPROTO for `ranks` from 0.53 to 0.63
 */
export async function listRunningJobs(
  client: Client,
  options: { readonly maxEntries: number; readonly ranks?: string },
  limits: Limits,
): Promise<readonly RunningJob[]> {
  const { maxEntries, ranks } = options
  const attrs = ['userid', 'ranks', 'expiration']
  const and = ranks === undefined ? [] : [{ ranks: [ranks] }]
  return (await list(client, { states: RUNNING, maxEntries, attrs, and }, limits)).map(toRunningJob)
}

/** A failed job, with its exception (RFC 21) if there was one. */
export interface FailedJob {
  readonly id: JobId
  readonly queue: string | undefined
  /** When the job ended, in seconds since the epoch. */
  readonly inactiveAt: number
  readonly exceptionType: string | undefined
  readonly exceptionNote: string | undefined
  /** What it asked for, as of a {@link PendingJob}: job-list shows no more of a job that never started. */
  readonly ntasks?: number | undefined
  readonly nnodes?: number | undefined
  readonly ncores?: number | undefined
}

/** At most `maxEntries` jobs that failed after `since` (seconds since the epoch), latest first. */
export async function listFailedJobs(
  client: Client,
  options: { readonly maxEntries: number; readonly since: number },
  limits: Limits,
): Promise<readonly FailedJob[]> {
  const needs = ['ntasks', 'nnodes', 'ncores']
  const attrs = ['queue', 't_inactive', 'exception_type', 'exception_note', ...needs]
  const query = { states: STATES.INACTIVE, results: FAILED, attrs, ...options }
  return (await list(client, query, limits)).map(toFailedJob)
}

interface Query {
  readonly states: number
  readonly results?: number
  readonly maxEntries: number
  readonly attrs: readonly string[]
  readonly since?: number
  /** More constraints (RFC 31), which brokers before 0.53 do not know. */
  readonly and?: readonly JsonObject[]
}

/** One request for all versions: old brokers ignore `constraint`, new ones prefer it. */
async function list(client: Client, query: Query, limits: Limits): Promise<readonly JsonObject[]> {
  const { states, results = 0, maxEntries, attrs, since = 0, and = [] } = query
  const conditions: readonly JsonObject[] = [
    { states: [states] },
    ...(results === 0 ? [] : [{ results: [results] }]),
    ...and,
  ]
  const args = {
    max_entries: maxEntries,
    attrs,
    since,
    userid: ANY_USER,
    states,
    results,
    constraint: conditions.length === 1 ? conditions[0] : { and: conditions },
  }
  const options = { ...limits, nodeid: LEAD_RANK, maxBytes: MAX_LIST_BYTES }
  const answer = await client.call(JOB_LIST, args, options)
  return arrayAt(answer, 'jobs', JOB_LIST).map((job) => {
    if (!isJsonObject(job)) throw unexpected(JOB_LIST, 'jobs[]', 'an object', job)
    return job
  })
}

const PENDING_STATES: ReadonlyMap<unknown, PendingState> = new Map([
  [STATES.DEPEND, 'DEPEND'],
  [STATES.PRIORITY, 'PRIORITY'],
  [STATES.SCHED, 'SCHED'],
])

function toPendingJob(job: JsonObject): PendingJob {
  const state = PENDING_STATES.get(job.state)
  if (state === undefined) throw unexpected(JOB_LIST, 'state', 'a pending state', job.state)
  const oddities: string[] = []
  const read = <T>(attribute: () => T) => orUndefined(attribute, (oddity) => oddities.push(oddity))
  const needs = {
    priority: read(() => optionalNumber(job, 'priority')),
    queue: read(() => optionalString(job, 'queue')),
    ntasks: read(() => optionalNumber(job, 'ntasks')),
    nnodes: read(() => optionalCount(job, 'nnodes')),
    ncores: read(() => optionalCount(job, 'ncores')),
  }
  const [oddity] = oddities
  return {
    id: idOf(job),
    state,
    ...needs,
    userid: orUndefined(() => numberAt(job, 'userid', JOB_LIST)),
    duration: orUndefined(() => optionalNumber(job, 'duration') ?? 0),
    submittedAt: orUndefined(() => numberAt(job, 't_submit', JOB_LIST)),
    startEstimate: estimateOf(job),
    ...(oddity !== undefined && { oddity }),
  }
}

function toRunningJob(job: JsonObject): RunningJob {
  return {
    id: idOf(job),
    userid: orUndefined(() => numberAt(job, 'userid', JOB_LIST)),
    ranks: job.ranks === undefined ? EMPTY_IDSET : idsetAt(job, 'ranks', JOB_LIST),
    expiration: orUndefined(() => optionalNumber(job, 'expiration') ?? 0),
  }
}

function toFailedJob(job: JsonObject): FailedJob {
  return {
    id: idOf(job),
    queue: optionalString(job, 'queue'),
    inactiveAt: numberAt(job, 't_inactive', JOB_LIST),
    exceptionType: optionalString(job, 'exception_type'),
    exceptionNote: optionalString(job, 'exception_note'),
    ntasks: optionalNumber(job, 'ntasks'),
    nnodes: optionalCount(job, 'nnodes'),
    ncores: optionalCount(job, 'ncores'),
  }
}
