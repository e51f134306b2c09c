// The instances on which the conversations in test/recordings/flux were recorded, rebuilt as models.

import { Instance, type JobRequest } from '#simulation/instance.ts'
import type { BrokerOptions } from '../support/broker.ts'

const NOW = new Date('2026-11-23T12:00:00.250Z')

/** Four nodes with 8 cores and 2 GPUs each, queue batch on ranks 0 to 2, queue debug on rank 3. */
export function fourNodes(options: { readonly up?: number } = {}): Instance {
  const queues = { batch: [0, 1, 2], debug: [3] }
  return new Instance({ maxSize: 4, gpusPerNode: 2, queues, now: NOW, ...options })
}

const batch = { queue: 'batch' } as const

/** {@link fourNodes} with jobs in every state; 0.51 refused those that asked for GPUs, so there they are failed ones. */
export function busyNodes({ gpuJobs = true }: { readonly gpuJobs?: boolean } = {}): Instance {
  const instance = fourNodes()
  const ended = ['successful', 'successful', 'failed', 'failed', 'timeout', 'canceled'] as const
  for (const result of ended) finish(instance, batch, result)
  const submit = (request: JobRequest) => {
    if (request.gpus === undefined || gpuJobs) instance.submit(request)
    else finish(instance, { ...request, placement: [] }, 'failed')
    instance.advance(120)
  }
  submit({ ...batch, name: 'run-2x8', nodes: 2, cores: 16, timeLimit: 604_800 })
  submit({ ...batch, name: 'run-gpu', tasks: 2, cores: 2, gpus: 2, timeLimit: 518_400 })
  submit({ queue: 'debug', name: 'run-debug', tasks: 1, cores: 2, timeLimit: 432_000 })
  submit({ ...batch, name: 'pend-3x8', nodes: 3, cores: 24, timeLimit: 7200 })
  submit({ ...batch, name: 'pend-2excl', nodes: 2, timeLimit: 2700 })
  submit({ ...batch, name: 'pend-gpu', tasks: 4, cores: 8, gpus: 4, timeLimit: 1200 })
  submit({ ...batch, name: 'pend-too-many', cores: 40, timeLimit: 1200 })
  submit({ queue: 'debug', name: 'pend-debug', nodes: 1, cores: 8, timeLimit: 600 })
  submit({ ...batch, name: 'held', cores: 1, timeLimit: 3600, urgency: 0 })
  submit({ ...batch, name: 'pend-dep', cores: 1, timeLimit: 3600, dependency: 'after-success=ƒ1' })
  return instance
}

/** {@link busyNodes} after some more jobs of queue debug have come and gone. */
export function later(
  instance: Instance,
  { successful, canceled }: { readonly successful: number; readonly canceled: number },
): Instance {
  const gone = [...Array(successful).fill('successful'), ...Array(canceled).fill('canceled')]
  for (const result of gone) {
    const placement = [{ ranks: [3], cores: [7] }]
    finish(instance, { queue: 'debug', placement }, result === 'canceled' ? result : 'successful')
  }
  return instance
}

function finish(
  instance: Instance,
  request: JobRequest,
  result: 'successful' | 'failed' | 'canceled' | 'timeout',
): void {
  instance.finish(instance.submit(request).id, result)
}

/** Six nodes: 0 is busy, 2 drained and busy, 3 lost, 4 excluded, 5 drained and idle. */
export function drainedNodes(): Instance {
  const instance = new Instance({
    maxSize: 6,
    gpusPerNode: 2,
    exclude: [4],
    up: 0,
    hostPrefix: 'flux-sample',
    now: NOW,
  })
  instance.up(0)
  instance.up(2, 3)
  instance.up(1, 4, 5)
  for (const rank of [0, 2]) instance.submit({ placement: [{ ranks: [rank], cores: [0, 1] }] })
  return instance
}

/** What was done to {@link drainedNodes} before most of the recordings. */
export function drainThem(instance: Instance): Instance {
  instance.down(3)
  instance.drain([2], 'disk is failing')
  instance.advance(100)
  instance.drain([5], 'maintenance')
  return instance
}

/** {@link fourNodes} as Fluxion filled them: from the highest node and the highest id down. */
export function fluxionNodes(): Instance {
  const instance = fourNodes()
  const place = (ranks: number[], cores: number[], gpus: number[] = []) => {
    const queue = ranks.includes(3) ? 'debug' : 'batch'
    return instance.submit({ queue, placement: [{ ranks, cores, gpus }] })
  }
  place([2], [0, 1, 2, 3, 4, 5, 6, 7], [0, 1])
  place([1], [5, 6, 7])
  place([0], [6, 7], [1])
  place([3], [6, 7])
  return instance
}

/** Rank 1 of {@link fluxionNodes} drained, and then, if it is `idle`, its job ended. */
export function fluxionDrained({ idle }: { readonly idle: boolean }): Instance {
  const instance = fluxionNodes()
  instance.drain([1], 'maintenance of a busy node')
  const job = [...instance.jobs.values()].find(({ allocations }) =>
    allocations.some(({ node }) => node.rank === 1),
  )
  if (idle && job !== undefined) instance.finish(job.id)
  return instance
}

export function fluxionLost(): Instance {
  const instance = fluxionDrained({ idle: true })
  instance.down(3)
  return instance
}

/** Like a MiniCluster: ten nodes of two cores, no queues, some of them up. */
export function miniCluster(up: number): Instance {
  return new Instance({ maxSize: 10, coresPerNode: 2, up, now: NOW, refusesMoreThanUp: true })
}

/** The jobs of the `mc-4of10` recordings, where a job for six nodes was refused. */
export function loadedMiniCluster(): Instance {
  const instance = miniCluster(4)
  const placed = (name: string, ranks: number[], cores: number[]) => {
    const size = { nodes: ranks.length, tasks: ranks.length, timeLimit: 1800 }
    instance.submit({ name, ...size, placement: [{ ranks, cores }] })
    instance.advance(140)
  }
  placed('run-N2', [2, 3], [0, 1])
  placed('run-1c', [1], [1])
  instance.submit({ name: 'need6', nodes: 6, cores: 6, timeLimit: 600 })
  const pending: readonly JobRequest[] = [
    { name: 'need3', nodes: 3 },
    { name: 'need10c', cores: 10 },
    { name: 'need12', nodes: 12, cores: 12 },
    { name: 'need30c', cores: 30 },
    { name: 'needgpu', nodes: 1 },
  ]
  for (const request of pending) {
    instance.submit({ ...request, timeLimit: 600 })
    instance.advance(130)
  }
  return instance
}

/** A job on one core of ranks 0 to 5, before or after rank 5 was stopped: its pod's clean-up is not over. */
export function sixNodeJob({ stopped }: { readonly stopped: boolean }): Instance {
  const options = { maxSize: 10, coresPerNode: 2, up: 6, now: NOW, lostPodCleanupMs: 25_000 }
  const instance = new Instance(options)
  instance.submit({ nodes: 6, placement: [{ ranks: [0, 1, 2, 3, 4, 5], cores: [1] }] })
  if (stopped) instance.down(5)
  return instance
}

/** One node called `vm`, with one of its two cores in use; the recordings say `vm` where we say `flux-sample-0`. */
export function oneNode(): Instance {
  const instance = new Instance({ maxSize: 1, coresPerNode: 2, now: NOW })
  instance.submit({ cores: 1 })
  return instance
}

export const CONFIGURATION: NonNullable<BrokerOptions['config']> = {
  policy: {
    jobspec: { defaults: { system: { duration: '1h', queue: 'batch' } } },
    limits: { duration: '30d' },
  },
}
