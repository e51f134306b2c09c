// Typed calls about jobs: counts and requests. Lists of jobs are in job-list-calls.ts.

import type { Client } from '../wire/client.ts'
import { isJsonObject, type JsonObject } from '../wire/payload.ts'
import { arrayAt, countAt, partAt, stringAt, unexpected } from './answer.ts'
import { LEAD_RANK, type Limits } from './broker-calls.ts'
import type { JobId } from './job-list-calls.ts'
import { parseRequest, type ResourceRequest } from './jobspec.ts'

/** Jobs in these states matter for sizes. */
type ActiveState = 'depend' | 'priority' | 'sched' | 'run' | 'cleanup'

/** Jobs in NEW are counted only in `total`. Inactive jobs that Flux has not purged are also counted by result. */
type Information = 'inactive' | 'total' | 'successful' | 'failed' | 'canceled' | 'timeout'

/** Counts of jobs. One that only informs is `undefined` if the answer has none, or one of an unexpected form. */
export type JobStats = Readonly<
  Record<ActiveState, number> & Record<Information, number | undefined>
>

/** Job counts of the instance and of each named queue. */
export interface InstanceJobStats {
  readonly total: JobStats
  readonly queues: ReadonlyMap<string, JobStats>
  /** How many inactive jobs Flux has forgotten; `undefined` before 0.46. */
  readonly purged?: number | undefined
}

const JOB_STATS = 'job-list.job-stats'

export async function getJobStats(client: Client, limits: Limits): Promise<InstanceJobStats> {
  return parseJobStats(await client.call(JOB_STATS, {}, { ...limits, nodeid: LEAD_RANK }))
}

/** The counts now and after each change, at most five times a second. Before 0.55 there is only one answer. */
export async function* watchJobStats(
  client: Client,
  limits: Limits,
): AsyncGenerator<InstanceJobStats> {
  const options = { ...limits, nodeid: LEAD_RANK }
  for await (const answer of client.stream(JOB_STATS, {}, options)) yield parseJobStats(answer)
}

/** A jobspec in the KVS (RFC 16): `job.`, the id in dotted hexadecimal, `.jobspec`. */
const JOBSPEC_KEY = /^job\.[\da-f.]+\.jobspec$/

/**
 * Yields when jobs were submitted. Flux commits their jobspecs to the KVS, announces the commit by an event with its keys, and
 * then hands the jobs on to job-manager and job-list. The event is private: only the owner receives it.
 */
export async function* watchSubmissions(client: Client, limits: Limits): AsyncGenerator<void> {
  const commits = await client.subscribe('kvs.namespace-primary-setroot', limits)
  for await (const { payload } of commits) {
    const { keys } = payload
    if (isJsonObject(keys) && Object.keys(keys).some((key) => JOBSPEC_KEY.test(key))) yield
  }
}

function parseJobStats(answer: JsonObject): InstanceJobStats {
  const queues = new Map<string, JobStats>()
  // Before 0.45 there were no named queues, and no key for them.
  const list = answer.queues === undefined ? [] : arrayAt(answer, 'queues', JOB_STATS)
  for (const queue of list) {
    if (!isJsonObject(queue)) throw unexpected(JOB_STATS, 'queues[]', 'an object', queue)
    queues.set(stringAt(queue, 'name', JOB_STATS), parseCounts(queue))
  }
  return { total: parseCounts(answer), queues, purged: informationAt(answer, 'inactive_purged') }
}

function parseCounts(answer: JsonObject): JobStats {
  const states = answer.job_states
  if (!isJsonObject(states)) throw unexpected(JOB_STATS, 'job_states', 'an object', states)
  const count = (key: string) => countAt(states, key, JOB_STATS)
  return {
    depend: count('depend'),
    priority: count('priority'),
    sched: count('sched'),
    run: count('run'),
    cleanup: count('cleanup'),
    inactive: informationAt(states, 'inactive'),
    total: informationAt(states, 'total'),
    successful: informationAt(answer, 'successful'),
    failed: informationAt(answer, 'failed'),
    canceled: informationAt(answer, 'canceled'),
    timeout: informationAt(answer, 'timeout'),
  }
}

/** A count without which every size is still known. */
function informationAt(answer: JsonObject, key: string): number | undefined {
  const count = answer[key]
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined
}

/** A jobspec that a person writes has some kB; a user may add attributes of any size. */
const MAX_JOBSPEC_BYTES = 1024 * 1024

/**
 * The resources that a job requests. Only the owner and the job's own user may call this.
 *
 * @param version of flux-core. Default: the newest
 * @throws FluxError `FLUX_REMOTE`: EPERM for guests, EINVAL for a job that is unknown or has ended, EMSGSIZE for a jobspec
 * of more than 1 MiB. `FLUX_PROTOCOL` for a request that {@link parseRequest} cannot read
 */
export async function getRequest(
  client: Client,
  id: JobId,
  limits: Limits,
  version?: string,
): Promise<ResourceRequest> {
  const topic = 'job-manager.getattr'
  const args = { id, attrs: ['jobspec'] }
  const options = { ...limits, nodeid: LEAD_RANK, maxBytes: MAX_JOBSPEC_BYTES }
  const { jobspec } = await client.call(topic, args, options)
  if (!isJsonObject(jobspec)) throw unexpected(topic, 'jobspec', 'an object', jobspec)
  return partAt({ topic, key: 'jobspec' }, () => parseRequest(jobspec, version))
}
