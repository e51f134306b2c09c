// Resources of ended jobs on which housekeeping still runs. They stay allocated, and Flux shows them so.
import type { Job } from '../jobs/job.ts'

interface Task {
  readonly due: number
  readonly allocations: Job['allocations']
}

/** Releases resources when their time has come. */
export class Housekeeping {
  #tasks: readonly Task[] = []

  /** When the next resources are released, in milliseconds since the epoch. */
  get nextDue(): number {
    return Math.min(...this.#tasks.map(({ due }) => due))
  }

  add(task: Task): void {
    this.#tasks = [...this.#tasks, task]
  }

  /** @returns whether something was released */
  release(now: number): boolean {
    const done = this.#tasks.filter(({ due }) => due <= now)
    this.#tasks = this.#tasks.filter(({ due }) => due > now)
    for (const { allocations } of done) releaseAll(allocations)
    return done.length > 0
  }
}

export function releaseAll(allocations: Job['allocations']): void {
  for (const { node, cores, gpus } of allocations) {
    node.cores.release(cores)
    node.gpus.release(gpus)
  }
}
