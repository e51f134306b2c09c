// The methods about jobs: `job-list.*`, and the methods of `job-manager.*` that a metrics client calls.
import { ERRNO } from '#flux/errors.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import type { Instance } from '#simulation/instance.ts'
import type { Job } from '#simulation/jobs/job.ts'
import { jobStats, listJobs } from './job-answers.ts'
import { ATTRIBUTE_NAMES, writeJob } from './job-attributes.ts'
import { numberArg, parseQuery } from './job-query.ts'
import { jobspecOf } from './jobspec.ts'
import {
  always,
  type BrokerState,
  type Call,
  type Methods,
  type Reply,
  ROLE,
  RpcError,
  Stream,
} from './method.ts'

/** How long `job-list` collects changes before it streams them. */
const STATS_INTERVAL_MS = 200
/** The most requests that sched-simple accepts at a time. The others wait in the job manager. */
const SCHED_SIMPLE_LIMIT = 8

export const JOB_METHODS: Methods = {
  'job-list.job-stats': { home: 'lead', answer: answerJobStats },
  'job-list.list': { home: 'lead', answer: answerList },
  'job-list.list-id': {
    home: 'lead',
    answer: ({ args }, broker) => {
      const names = attributesOf(args)
      const id = args.id
      const job =
        typeof id === 'number' || typeof id === 'bigint'
          ? broker.instance.jobs.get(BigInt(id))
          : undefined
      if (job === undefined) throw new RpcError(ERRNO.ENOENT)
      return { job: writeJob(job, names, broker) }
    },
  },
  'job-list.list-attrs': { home: 'lead', answer: () => ({ attrs: [...ATTRIBUTE_NAMES, 'all'] }) },
  'job-manager.queue-list': {
    home: 'lead',
    answer: (_, { instance }) => ({ queues: [...instance.queues.keys()] }),
  },
  'job-manager.queue-status': { home: 'lead', answer: answerQueueStatus },
  'job-manager.alloc-query': { home: 'lead', answer: answerAllocQuery },
  'job-manager.getinfo': {
    home: 'lead',
    answer: (_, { instance }) => ({ max_jobid: [...instance.jobs.keys()].at(-1) ?? 0n }),
  },
  'job-manager.getattr': {
    home: 'lead',
    // Guests may ask for their own jobs. The simulation has no jobs of guests.
    ownerOnly: always,
    answer: ({ args }, { instance }) => {
      const { id, attrs } = args
      const isId = typeof id === 'number' || typeof id === 'bigint'
      const job = isId ? instance.jobs.get(BigInt(id)) : undefined
      const isKnown = Array.isArray(attrs) && attrs.every((name) => name === 'jobspec')
      if (job === undefined || !isKnown) throw new RpcError(ERRNO.EINVAL)
      return { jobspec: jobspecOf(job) }
    },
  },
  // Only the check of the credentials is simulated.
  'job-manager.events-journal': {
    home: 'lead',
    ownerOnly: always,
    answer: ({ streaming }) => {
      if (!streaming) throw new RpcError(ERRNO.EPROTO)
      throw new RpcError(ERRNO.ENOSYS, 'The simulated broker does not stream a journal of jobs')
    },
  },
}

function answerJobStats({ streaming, rolemask }: Call, broker: BrokerState): Reply {
  const { instance, release } = broker
  if (hidesJobs(rolemask, broker)) throw new RpcError(ERRNO.EPERM)
  const stats = () => jobStats(instance, { allQueues: release.has('allQueuesInJobStats') })
  if (!streaming || !release.has('jobStatsStream')) return stats()
  return new Stream((push) => {
    let timer: NodeJS.Timeout | undefined
    const pushStats = () => {
      timer = undefined
      push(stats())
    }
    const onChange = () => {
      timer ??= setTimeout(pushStats, STATS_INTERVAL_MS).unref()
    }
    push(stats())
    instance.on('jobs', onChange)
    return () => {
      clearTimeout(timer)
      instance.off('jobs', onChange)
    }
  })
}

/** In private mode guests see only their own jobs. The simulation has no jobs of guests. */
function hidesJobs(rolemask: number, { privateMode, release }: BrokerState): boolean {
  return privateMode && release.has('privateMode') && !(rolemask & ROLE.owner)
}

function answerList({ args, streaming, rolemask }: Call, broker: BrokerState): Reply {
  const { release, owner } = broker
  const limit = numberArg(args, 'max_entries')
  const names = attributesOf(args)
  const matches = parseQuery(args, { hasConstraint: release.has('jobListConstraint'), owner })
  const filter = hidesJobs(rolemask, broker) ? () => false : matches
  const jobs = listJobs(broker.instance, filter, limit).map((job) => writeJob(job, names, broker))
  if (!streaming || !release.has('jobListStream')) return { jobs }
  return new Stream((push, end) => {
    for (const [index, job] of jobs.entries()) {
      push(index === 0 ? { jobs: [job], version: 1 } : { jobs: [job] })
    }
    end(ERRNO.ENODATA)
    return () => {}
  })
}

function attributesOf(args: JsonObject): readonly string[] {
  const { attrs } = args
  if (attrs === undefined) {
    throw new RpcError(ERRNO.EPROTO, 'invalid payload: Object item not found: attrs')
  }
  if (!Array.isArray(attrs))
    throw new RpcError(ERRNO.EPROTO, 'invalid payload: attrs must be an array')
  const names = attrs.map(String)
  const unknown = names.find((name) => name !== 'all' && !ATTRIBUTE_NAMES.includes(name))
  if (unknown !== undefined) {
    throw new RpcError(ERRNO.EINVAL, `${unknown} is not a valid attribute`)
  }
  return names.includes('all') ? ATTRIBUTE_NAMES : names
}

function answerQueueStatus({ args }: Call, { instance }: BrokerState): JsonObject {
  const { name } = args
  const queue = instance.queue(typeof name === 'string' ? name : undefined)
  if (queue === undefined) {
    const text = name === undefined ? 'a named queue is required' : `'${name}' is not a valid queue`
    throw new RpcError(ERRNO.EINVAL, text)
  }
  return {
    enable: queue.enabled,
    start: queue.started,
    ...(queue.enabled ? {} : { disable_reason: queue.disableReason ?? '' }),
    ...(queue.started || queue.stopReason === undefined ? {} : { stop_reason: queue.stopReason }),
  }
}

function answerAllocQuery(_: Call, { instance, scheduler, release }: BrokerState): JsonObject {
  const waiting = count(instance, (job) => isRequested(instance, job))
  const taken = scheduler === 'sched-simple' ? Math.min(waiting, SCHED_SIMPLE_LIMIT) : waiting
  return {
    queue_length: waiting - taken,
    alloc_pending: taken,
    ...(release.has('noFreePending') ? {} : { free_pending: 0 }),
    running: count(instance, ({ state }) => state === 'RUN' || state === 'CLEANUP'),
  }
}

/** Whether the job manager asks the scheduler for the job: not for a held job or a job in a stopped queue. */
function isRequested(instance: Instance, { state, urgency, queue }: Job): boolean {
  return state === 'SCHED' && urgency > 0 && instance.queue(queue)?.started === true
}

function count({ jobs }: Instance, matches: (job: Job) => boolean): number {
  let sum = 0
  for (const job of jobs.values()) if (matches(job)) sum += 1
  return sum
}
