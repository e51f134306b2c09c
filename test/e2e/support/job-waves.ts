// Waves of jobs, a minute each: a gang and small jobs, which ask for more nodes than there are, then jobs that keep few of many
// nodes, so that a node autoscaler would like to move them.
import { setTimeout as pause } from 'node:timers/promises'
import type { JobRequest } from '#simulation/instance.ts'
import { type Broker, submitJob } from './control.ts'
import { submitJobs } from './job-stream.ts'

const WAVE_MS = 60_000
const ARRIVING_MS = 20_000

/** On the lowest free ranks, after the others have ended. */
const LAST: JobRequest = { nodes: 3, duration: 25 }

export interface Waves {
  readonly seed: number
  readonly count: number
  /** The values of `spec.size` so far. */
  readonly sizes: () => readonly number[]
}

/** Submits the jobs and returns their ids at the end of the last wave. */
export async function submitWaves(
  broker: Broker,
  { seed, count, sizes }: Waves,
): Promise<readonly string[]> {
  const ids: string[] = []
  for (let wave = 0; wave < count; wave += 1) {
    const next = pause(WAVE_MS)
    const stream = { seed: seed + wave, lengthMs: ARRIVING_MS, pauseMs: 1_000, sizes } as const
    ids.push(...(await submitJobs(broker, { ...stream, gangsAtMs: [0], gangNodes: [5, 7] })))
    ids.push(await submitJob(broker, LAST))
    await next
  }
  return ids
}
