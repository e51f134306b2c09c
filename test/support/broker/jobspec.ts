// The jobspec of a simulated job (RFC 25), as `job-manager.getattr` writes it, with the requested resources.
import type { JsonObject } from '#flux/wire/payload.ts'
import type { Job } from '#simulation/jobs/job.ts'

/** The jobspec with the keys of a recorded one. */
export function jobspecOf(job: Job): JsonObject {
  const { name, queue, timeLimit } = job
  return {
    resources: [resourcesOf(job)],
    tasks: [{ command: ['sleep', 'inf'], slot: 'task', count: { per_slot: 1 } }],
    attributes: {
      system: {
        duration: timeLimit,
        cwd: '/tmp',
        job: { name },
        ...(queue !== undefined && { queue, constraints: { properties: [queue] } }),
      },
    },
    version: 1,
  }
}

function resourcesOf({ nodes, cores, gpus, tasks }: Job): JsonObject {
  if (nodes === undefined) return slot(tasks, (cores ?? 0) / tasks, gpus / tasks)
  const perNode = tasks / nodes
  const below = slot(perNode, cores === undefined ? 1 : cores / tasks, gpus / tasks)
  return {
    type: 'node',
    count: nodes,
    ...(cores === undefined && { exclusive: true }),
    with: [below],
  }
}

function slot(count: number, cores: number, gpus: number): JsonObject {
  return {
    type: 'slot',
    count,
    with: [{ type: 'core', count: cores }, ...(gpus === 0 ? [] : [{ type: 'gpu', count: gpus }])],
    label: 'task',
  }
}
