// No job waits for ever: random streams of jobs onto simulated MiniClusters whose scheduler obeys constraints that no reading
// shows. SAFETY_SEED draws others, TEST_RUNS more.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { publishedSize } from '#scaling/sizes.ts'
import { STEP_MS } from '#scaling/unstarted/unstarted-jobs.ts'
import type { Job } from '#simulation/jobs/job.ts'
import { isFeasible } from '#simulation/scheduling/first-fit.ts'
import { type Simulation, TIMES } from '../../../webhook/cli/simulate/simulation.ts'
import {
  arbitraryHiddenStream,
  arbitraryStream,
  lossesByResize,
  runStream,
  type Stream,
  streams,
} from '../../support/arbitrary-streams.ts'

const RUNS = streams(200)

const DRAINS = { instance: 'flux-sample' }

/** A run that takes longer is stuck. */
const END_MS = 6 * 3_600_000

/** The most that a latency comes to. */
const most = (latency: number | readonly number[] = 0) => Math.max(0, ...[latency].flat())

/** As docs/explanation/SIZE.md says: a minute for each doubling of the size, and the next reading. */
function growthMs({ options }: Stream): number {
  const { maxIntervalMs, readMs } = { ...TIMES, ...options.times }
  const steps = Math.ceil(Math.log2(options.instance.maxSize))
  return steps * STEP_MS + 2 * (maxIntervalMs + 2 * readMs)
}

/** What the HPA, pods, drains and Flux take at most until a size that is published is there. */
function followMs({ options }: Stream): number {
  const times = { ...TIMES, ...options.times }
  const { scaleUp } = options.hpa.behavior ?? {}
  const { maxSize, matchMs, commitMs } = options.instance
  const perPod = scaleUp?.policies === undefined ? 1 : maxSize
  const hpaMs = 2 * times.syncMs * perPod + 1000 * (scaleUp?.stabilizationWindowSeconds ?? 0)
  const podMs = times.reactionMs + times.graceMs + most(times.lossMs) + most(times.joinMs)
  const drainMs = options.snapshots.drains === undefined ? 0 : 60_000 + times.maxIntervalMs
  return hpaMs + times.decideMs + podMs + drainMs + most(matchMs) + most(commitMs)
}

/** Whether some size would start it, if nothing else was there. */
function canStart(job: Job, { instance: { nodes } }: Simulation): boolean {
  const { hiddenRanks } = job
  return (
    job.urgency > 0 &&
    isFeasible(
      job,
      nodes.filter(({ rank }) => hiddenRanks === undefined || hiddenRanks.has(rank)),
    )
  )
}

/** When the last thing happened before a job started that has nothing to do with it: until then it may have had to wait. */
function lastDisturbance(job: Job, { instance }: Simulation, stream: Stream): number {
  const { options, interventions } = stream
  const startedAt = job.times.RUN ?? 0
  const housekeepingMs = [options.instance.housekeepingMs ?? 0].flat()
  const others = [...instance.jobs.values()].filter((other) => other !== job)
  const times = [
    ...others.flatMap(({ times: { NEW, RUN, CLEANUP, INACTIVE } }) => [
      ...[NEW, RUN, CLEANUP, INACTIVE],
      ...(INACTIVE === undefined ? [] : housekeepingMs.map((ms) => INACTIVE + ms)),
    ]),
    ...(options.outages ?? []).map(({ atMs, forMs }) => instance.startedAt + atMs + forMs),
    ...interventions.map((one) =>
      one.kind === 'blip' ? instance.startedAt + one.atMs + one.forMs : 0,
    ),
  ].filter((at) => at !== undefined && at <= startedAt)
  return Math.max(job.times.NEW ?? 0, ...times.map((at) => at ?? 0))
}

/** Runs a stream whose users cancel what was set aside and can never start. */
function runUntilDone(stream: Stream): Simulation {
  return runStream(
    stream,
    (simulation) => {
      const { instance, published, isDone } = simulation
      for (const { id, size } of published?.unstarted ?? []) {
        const job = instance.jobs.get(BigInt(id))
        if (size !== undefined || job === undefined || canStart(job, simulation)) continue
        if (job.state === 'SCHED') instance.cancel(job.id)
      }
      const waits = instance.pending.some(({ urgency }) => urgency > 0)
      return !(simulation.elapsedMs > 360_000 && !waits && instance.running.size === 0) && !isDone
    },
    END_MS,
  )
}

/** How long a job waited for a reason of its own; 0 if it was cancelled. */
function assertStarted(job: Job, simulation: Simulation, stream: Stream): number {
  const { RUN, INACTIVE } = job.times
  assert.ok(RUN !== undefined || INACTIVE !== undefined, `job ${job.id} waits for ever`)
  if (RUN === undefined) return 0
  const waitedMs = RUN - lastDisturbance(job, simulation, stream)
  const limitMs = growthMs(stream) + followMs(stream)
  assert.ok(waitedMs <= limitMs, `job ${job.id} waited ${waitedMs} ms, more than ${limitMs}`)
  return waitedMs
}

describe('jobs with constraints that no reading shows', () => {
  for (const drains of [undefined, DRAINS]) {
    it(`start within the time that docs/explanation/SIZE.md states ${drains ? 'with' : 'without'} drains`, () => {
      let helped = 0
      const property = fc.property(arbitraryHiddenStream(drains), (stream) => {
        const simulation = runUntilDone(stream)
        for (const job of simulation.instance.jobs.values()) {
          if (!canStart(job, simulation)) continue
          if (assertStarted(job, simulation, stream) >= STEP_MS) helped += 1
        }
        if (drains !== undefined) assert.deepEqual(lossesByResize(stream, simulation), [])
      })
      fc.assert(property, RUNS)
      assert.ok(helped > 0, 'some jobs needed it')
    })
  }
})

describe('without such jobs', () => {
  it('sizes are the same as if nobody looked for them, at every step', () => {
    const property = fc.property(
      fc.constantFrom(undefined, DRAINS).chain(arbitraryStream),
      (stream) => {
        const steps = stepsOf(stream, Number.POSITIVE_INFINITY)
        assert.deepEqual(stepsOf(stream, STEP_MS), steps)
      },
    )
    fc.assert(property, RUNS)
  })
})

/** What is published, set and paid for after every event: four numbers for each. */
function stepsOf({ options, interventions }: Stream, startTimeoutMs: number): readonly number[] {
  const { drains, patience } = options.snapshots
  const snapshots = { drains, patience: { ...patience, startTimeoutMs } }
  const steps: number[] = []
  runStream({ interventions, options: { ...options, snapshots } }, (simulation) => {
    const { elapsedMs, published, size, pods } = simulation
    const desired = published === undefined ? 0 : publishedSize(published.sizes)
    steps.push(elapsedMs, typeof desired === 'number' ? desired : -1, size, pods.count)
  })
  return steps
}
