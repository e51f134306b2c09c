// Random runs for the safety tests of sizes: jobs on a small MiniCluster, its HPA, and how long everything takes. The
// MiniCluster is small so that jobs collide. Times are in tenths of a second so that events interleave.
import fc from 'fast-check'
import type { JobRequest } from '#simulation/jobs/job.ts'
import type { JobLatencies } from '#simulation/latency.ts'
import type { HpaSpec } from '../../webhook/cli/hpa-controller/spec.ts'
import {
  type Arrival,
  type Loss,
  type SidecarOutage,
  Simulation,
  type SimulationOptions,
  type Times,
} from '../../webhook/cli/simulate/simulation.ts'
import { runs } from './runs.ts'

/** With fewer streams some of what the tests look for is in none of them. */
const LEAST = 20

/** So many of `all` streams as TEST_RUNS says, but twenty at least. SAFETY_SEED draws other streams. */
export function streams(all: number): { readonly numRuns: number; readonly seed: number } {
  const numRuns = Math.min(all, Math.max(LEAST, runs(all)))
  return { numRuns, seed: Number(process.env.SAFETY_SEED ?? 1) }
}

const MAX_SIZE = 10
const CORES = 4

/** Jobs are submitted during this time. */
const ARRIVING_MS = 360_000

const anyTime = (maxMs: number) => fc.nat({ max: maxMs / 100 }).map((tenths) => tenths * 100)

/** Times that come in turn, most of them short. */
function anyTimes(maxMs: number): fc.Arbitrary<readonly number[]> {
  const short = anyTime(Math.ceil(maxMs / 1_000) * 100)
  return fc.array(fc.oneof({ weight: 3, arbitrary: short }, anyTime(maxMs)), {
    minLength: 1,
    maxLength: 4,
  })
}

const arbitraryShape: fc.Arbitrary<JobRequest> = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }).map((nodes) => ({ nodes })) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: CORES * 3 }).map((cores) => ({ cores })) },
  {
    weight: 1,
    arbitrary: fc
      .record({ nodes: fc.integer({ min: 1, max: 3 }), each: fc.integer({ min: 1, max: CORES }) })
      .map(({ nodes, each }) => ({ nodes, cores: nodes * each, tasks: nodes })),
  },
  { weight: 1, arbitrary: fc.constant({ nodes: MAX_SIZE }) },
)

const arbitraryJob = fc
  .record({
    shape: arbitraryShape,
    tenths: fc.integer({ min: 5, max: 1_500 }),
    urgency: fc.constantFrom(16, 16, 16, 31, 0),
  })
  .map(({ shape, tenths, urgency }): JobRequest => ({ ...shape, duration: tenths / 10, urgency }))

const arbitraryArrivals: fc.Arbitrary<readonly Arrival[]> = fc.array(
  fc.record({ atMs: anyTime(ARRIVING_MS), job: arbitraryJob }),
  { minLength: 1, maxLength: 14 },
)

const arbitraryTimes: fc.Arbitrary<Partial<Times>> = fc.record({
  reactionMs: anyTime(5_000),
  joinMs: fc.oneof({ weight: 3, arbitrary: anyTime(20_000) }, anyTimes(600_000)),
  firstSyncMs: anyTime(15_000),
  decideMs: anyTime(2_000),
  readMs: fc.constantFrom(1, 12, 100),
  maxIntervalMs: fc.constantFrom(6_000, 10_000),
  bootMs: anyTime(3_000),
  lossMs: anyTimes(10_000),
})

/** Flux's own times, some long. What the scheduler has chosen shows within two seconds: docs/explanation/WHAT-CAN-GO-WRONG.md says so. */
const arbitraryLatencies: fc.Arbitrary<Required<JobLatencies>> = fc.record({
  matchMs: anyTimes(400),
  commitMs: anyTimes(1_500),
  startMs: anyTimes(3_000),
  epilogMs: anyTimes(20_000),
  housekeepingMs: anyTimes(60_000),
})

/** An HPA on `node_desired_count` with settings that users choose. */
const arbitraryHpa: fc.Arbitrary<HpaSpec> = fc
  .record({
    minReplicas: fc.constantFrom(1, 1, 2),
    tolerance: fc.constantFrom(0, undefined),
    down: fc.constantFrom(0, 15, 60, 300),
    up: fc.constantFrom(0, 0, 30),
    pods: fc.constantFrom(undefined, 1, MAX_SIZE),
  })
  .map(({ minReplicas, tolerance, down, up, pods }) => {
    const rules = {
      ...(tolerance !== undefined && { tolerance }),
      ...(pods !== undefined && {
        policies: [{ type: 'Pods' as const, value: pods, periodSeconds: 15 }],
      }),
    }
    return {
      minReplicas,
      maxReplicas: MAX_SIZE,
      metrics: [
        {
          type: 'Object' as const,
          object: {
            describedObject: { kind: 'MiniCluster', name: 'flux-sample' },
            metric: { name: 'node_desired_count' },
            target: { type: 'AverageValue' as const, averageValue: '1' },
          },
        },
      ],
      behavior: {
        scaleUp: { ...rules, stabilizationWindowSeconds: up },
        scaleDown: { ...rules, stabilizationWindowSeconds: down },
      },
    }
  })

const arbitraryOutages: fc.Arbitrary<readonly SidecarOutage[]> = fc.array(
  fc.record({
    atMs: anyTime(ARRIVING_MS),
    forMs: anyTime(60_000),
    endsBy: fc.constantFrom('reconnect', 'restart'),
  }),
  { maxLength: 2 },
)

/** A change by a user or an administrator during the run. */
type Intervention =
  | { readonly kind: 'cancel'; readonly atMs: number; readonly nth: number }
  | { readonly kind: 'drain'; readonly atMs: number; readonly rank: number }
  | { readonly kind: 'blip'; readonly atMs: number; readonly rank: number; readonly forMs: number }

/** A broker that loses its connection is back within so long: own-drains.ts assumes it. */
const BLIP_MS = 29_000

const arbitraryInterventions: fc.Arbitrary<readonly Intervention[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('cancel' as const),
      atMs: anyTime(ARRIVING_MS),
      nth: fc.nat(13),
    }),
    fc.record({
      kind: fc.constant('drain' as const),
      atMs: anyTime(ARRIVING_MS),
      rank: fc.nat(MAX_SIZE - 1),
    }),
    fc.record({
      kind: fc.constant('blip' as const),
      atMs: anyTime(ARRIVING_MS),
      rank: fc.nat(MAX_SIZE - 1),
      forMs: anyTime(BLIP_MS),
    }),
  ),
  { maxLength: 4 },
)

/** A run: what is simulated, and the interventions of users. */
export interface Stream {
  readonly options: SimulationOptions
  readonly interventions: readonly Intervention[]
}

export function arbitraryStream(
  drains: SimulationOptions['snapshots']['drains'],
): fc.Arbitrary<Stream> {
  return fc
    .record({
      arrivals: arbitraryArrivals,
      outages: arbitraryOutages,
      times: arbitraryTimes,
      hpa: arbitraryHpa,
      size: fc.integer({ min: 1, max: MAX_SIZE }),
      quorum: fc.constantFrom(1, 2),
      fill: fc.constantFrom('lowest', 'highest'),
      idleGraceMs: fc.constantFrom(0, 10_000, 60_000),
      lostPodCleanupMs: fc.constantFrom(undefined, 25_000),
      latencies: arbitraryLatencies,
      interventions: arbitraryInterventions,
    })
    .map(({ fill, idleGraceMs, lostPodCleanupMs, latencies, interventions, ...rest }) => ({
      interventions,
      options: {
        ...rest,
        instance: {
          maxSize: MAX_SIZE,
          coresPerNode: CORES,
          fill,
          ...latencies,
          ...(lostPodCleanupMs !== undefined && { lostPodCleanupMs }),
        },
        snapshots: { drains, patience: { idleGraceMs, joinTimeoutMs: 600_000 } },
      },
    }))
}

/** Jobs of this kind wait for ever: the scheduler gives them no rank. */
const NO_RANK: readonly number[] = []

const arbitraryHiddenRanks = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 4, arbitrary: fc.subarray([...Array(MAX_SIZE).keys()], { minLength: 1 }) },
  { weight: 1, arbitrary: fc.constant(NO_RANK) },
)

/**
 * A stream in which the scheduler obeys constraints that no reading shows. Pods take up to five minutes to come; after ten
 * a rank is given up.
 */
export function arbitraryHiddenStream(
  drains: SimulationOptions['snapshots']['drains'],
): fc.Arbitrary<Stream> {
  return fc
    .record({
      stream: arbitraryStream(drains),
      hidden: fc.array(arbitraryHiddenRanks, { minLength: 14, maxLength: 14 }),
      joinMs: fc.oneof(anyTime(20_000), anyTimes(300_000)),
    })
    .map(({ stream: { options, interventions }, hidden, joinMs }) => ({
      interventions: interventions.filter(({ kind }) => kind !== 'drain'),
      options: {
        ...options,
        arrivals: options.arrivals.map(({ atMs, job }, index) => {
          const hiddenRanks = hidden[index]
          return { atMs, job: hiddenRanks === undefined ? job : { ...job, hiddenRanks } }
        }),
        times: { ...options.times, joinMs },
      },
    }))
}

/** Jobs that were lost because a pod of theirs was ended: a blip loses jobs, too, also those that are being committed. */
export function lossesByResize({ interventions }: Stream, { losses, instance }: Simulation) {
  const isOfBlip = ({ job, rank }: Loss) => {
    const lostMs = (job.times.CLEANUP ?? 0) - instance.startedAt
    return interventions.some(
      (one) =>
        one.kind === 'blip' &&
        one.rank === rank &&
        one.atMs <= lostMs &&
        lostMs <= one.atMs + one.forMs,
    )
  }
  return losses.filter((loss) => !isOfBlip(loss))
}

/** The reason of an administrator's drain. */
export const BROKEN = 'broken fan'

/** A run that is not done ends after this time. */
const END_MS = 900_000

/**
 * Runs a stream until its jobs have ended.
 *
 * @param look is called after every event; `false` ends the run
 */
export function runStream(
  { options, interventions }: Stream,
  look: (simulation: Simulation) => unknown,
  endMs = END_MS,
): Simulation {
  const simulation = new Simulation(options)
  for (const intervention of interventions) {
    simulation.at(intervention.atMs, () => intervene(simulation, intervention))
  }
  while (!simulation.isDone && simulation.elapsedMs < endMs) {
    simulation.step()
    if (look(simulation) === false) break
  }
  return simulation
}

function intervene(simulation: Simulation, intervention: Intervention): void {
  const { instance } = simulation
  if (intervention.kind === 'cancel') {
    const job = [...instance.jobs.keys()][intervention.nth]
    if (job !== undefined) instance.cancel(job)
    return
  }
  const { rank } = intervention
  if (intervention.kind === 'blip') {
    simulation.pods.blip(rank, intervention.forMs)
    return
  }
  // Flux refuses to drain a drained rank. The drain stays: to undrain a rank whose pod is ending would offer it to jobs.
  if (instance.nodes[rank]?.drain === undefined) instance.drain([rank], BROKEN)
}
