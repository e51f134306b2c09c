// A stream of jobs: small ones at random, at given times a gang that needs more nodes than there are, and, whenever the size
// falls, jobs for the nodes that are about to end.
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import type { JobRequest } from '#simulation/instance.ts'
import { type Broker, submitJob } from './control.ts'

/** Small jobs overtake a waiting gang, so that some jobs always run. */
const arbitrarySmall: fc.Arbitrary<JobRequest> = fc
  .record({
    shape: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 1, max: 6 }).map((cores) => ({ cores })) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }).map((nodes) => ({ nodes })) },
    ),
    tenths: fc.integer({ min: 2, max: 20 }),
  })
  .map(({ shape, tenths }) => ({ ...shape, duration: tenths / 10, urgency: 20 }))

function arbitraryGang([min, max]: NodeRange): fc.Arbitrary<JobRequest> {
  return fc.record({ nodes: fc.integer({ min, max }), duration: fc.integer({ min: 2, max: 6 }) })
}

/** The fewest and the most nodes. */
export type NodeRange = readonly [min: number, max: number]

/** Longer than the grace of the pods here: on a node that is ending, it is lost. */
const LATE_JOB: JobRequest = { nodes: 1, duration: 8, urgency: 31 }

export interface JobStream {
  readonly seed: number
  readonly lengthMs: number
  /** Pause after each small job. */
  readonly pauseMs: number
  /** When gangs arrive. */
  readonly gangsAtMs: readonly number[]
  /** The nodes of a gang. */
  readonly gangNodes: NodeRange
  /** The values of `spec.size` so far. */
  readonly sizes: () => readonly number[]
}

/** Submits the jobs of the stream and returns their ids. */
export async function submitJobs(
  broker: Broker,
  { seed, lengthMs, pauseMs, gangsAtMs, gangNodes, sizes }: JobStream,
): Promise<readonly string[]> {
  const count = Math.ceil(lengthMs / pauseMs)
  const small = fc.sample(arbitrarySmall, { seed, numRuns: count })
  const gangs = fc.sample(arbitraryGang(gangNodes), { seed, numRuns: gangsAtMs.length })
  const ids: string[] = []
  const start = performance.now()
  let next = 0
  let looked = 1
  for (const job of small) {
    const passedMs = performance.now() - start
    if (passedMs > lengthMs) break
    const gang = gangs[next]
    if (gang !== undefined && passedMs >= (gangsAtMs[next] ?? 0)) {
      ids.push(await submitJob(broker, gang))
      next += 1
    }
    ids.push(await submitJob(broker, job))
    const seen = sizes()
    const falling = seen.slice(looked - 1)
    looked = seen.length
    const before = falling[0] ?? 0
    if ((falling.at(-1) ?? 0) < before) {
      const late = Array.from({ length: before }, () => submitJob(broker, LATE_JOB))
      ids.push(...(await Promise.all(late)))
    }
    await pause(pauseMs)
  }
  return ids
}
