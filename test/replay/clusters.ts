// The instances of the recordings in test/recordings/flux, rebuilt as simulated instances.

import { Instance, type JobRequest } from '#simulation/instance.ts'
import type { BrokerOptions } from '../support/broker.ts'

const NOW = new Date('2026-11-23T12:00:00.250Z')

/** Four nodes with 8 cores and 2 GPUs each, queue batch on ranks 0 to 2, queue debug on rank 3. */
export function fourNodes(options: { readonly up?: number } = {}): Instance {
  const queues = { batch: [0, 1, 2], debug: [3] }
  return new Instance({ maxSize: 4, gpusPerNode: 2, queues, now: NOW, ...options })
}

const batch = { queue: 'batch' } as const

/** {@link fourNodes} with jobs in every state. 0.51 refused jobs with GPUs: without `gpuJobs` they are failed jobs. */
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

/** {@link busyNodes} after some more jobs of queue debug have ended. */
export function later(
  instance: Instance,
  { successful, canceled }: { readonly successful: number; readonly canceled: number },
): Instance {
  const results = [...Array(successful).fill('successful'), ...Array(canceled).fill('canceled')]
  for (const result of results) {
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

/** Drains and stops nodes of {@link drainedNodes}, as before most of the recordings. */
export function drainThem(instance: Instance): Instance {
  instance.down(3)
  instance.drain([2], 'disk is failing')
  instance.advance(100)
  instance.drain([5], 'maintenance')
  return instance
}

/** {@link fourNodes} as Fluxion filled them: from the highest node and the highest id downwards. */
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

/** {@link fluxionNodes} with rank 1 drained. If `idle`, the job of rank 1 has then ended. */
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

/** The jobs of the `mc-4of10` recordings. Flux refused the job for six nodes. */
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

/** A job on one core of each of the ranks 0 to 5. If `stopped`, rank 5 was stopped and its pod is still cleaned up. */
export function sixNodeJob({ stopped }: { readonly stopped: boolean }): Instance {
  const options = { maxSize: 10, coresPerNode: 2, up: 6, now: NOW, lostPodCleanupMs: 25_000 }
  const instance = new Instance(options)
  instance.submit({ nodes: 6, placement: [{ ranks: [0, 1, 2, 3, 4, 5], cores: [1] }] })
  if (stopped) instance.down(5)
  return instance
}

/** One node with one of its two cores in use. In the recordings its name is `vm`, here `flux-sample-0`. */
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
