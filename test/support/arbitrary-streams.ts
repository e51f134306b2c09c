// What fast-check draws for the safety of sizes: streams of jobs onto a small MiniCluster, the HPA above it, and how long
// everything takes. Small, so that jobs collide; times in tenths of a second, so that things happen between each other.
import fc from 'fast-check'
import type { JobRequest } from '#simulation/job.ts'
import type { JobLatencies } from '#simulation/latency.ts'
import type { HpaSpec } from '../../webhook/cli/simulate/hpa-controller/spec.ts'
import {
  type Absence,
  type Arrival,
  type Loss,
  Simulation,
  type SimulationOptions,
  type Times,
} from '../../webhook/cli/simulate/simulation.ts'

/** So many streams are tried, the same each time; another seed for others. */
export const STREAMS = {
  numRuns: Number(process.env.SAFETY_RUNS ?? 10_000),
  seed: Number(process.env.SAFETY_SEED ?? 1),
}

const MAX_SIZE = 10
const CORES = 4

/** Jobs arrive for so long. */
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

/** Flux's own times, some long. What the scheduler has chosen shows within two seconds: README says so. */
const arbitraryLatencies: fc.Arbitrary<Required<JobLatencies>> = fc.record({
  matchMs: anyTimes(400),
  commitMs: anyTimes(1_500),
  startMs: anyTimes(3_000),
  epilogMs: anyTimes(20_000),
  housekeepingMs: anyTimes(60_000),
})

/** An HPA on `node_desired_count`, of one of the kinds that people have. */
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

const arbitraryAbsences: fc.Arbitrary<readonly Absence[]> = fc.array(
  fc.record({
    atMs: anyTime(ARRIVING_MS),
    forMs: anyTime(60_000),
    comesBack: fc.constantFrom('reconnected', 'made anew'),
  }),
  { maxLength: 2 },
)

/** What people do meanwhile. */
type Meddling =
  | { readonly kind: 'cancel'; readonly atMs: number; readonly nth: number }
  | { readonly kind: 'drain'; readonly atMs: number; readonly rank: number }
  | { readonly kind: 'blip'; readonly atMs: number; readonly rank: number; readonly forMs: number }

/** A broker that loses its connection is back within so long: own-drains.ts assumes it. */
const BLIP_MS = 29_000

const arbitraryMeddling: fc.Arbitrary<readonly Meddling[]> = fc.array(
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

/** A whole run: what is simulated, and what people do meanwhile. */
export interface Stream {
  readonly options: SimulationOptions
  readonly meddling: readonly Meddling[]
}

export function arbitraryStream(
  drains: SimulationOptions['snapshots']['drains'],
): fc.Arbitrary<Stream> {
  return fc
    .record({
      arrivals: arbitraryArrivals,
      absences: arbitraryAbsences,
      times: arbitraryTimes,
      hpa: arbitraryHpa,
      size: fc.integer({ min: 1, max: MAX_SIZE }),
      quorum: fc.constantFrom(1, 2),
      fill: fc.constantFrom('lowest', 'highest'),
      idleGraceMs: fc.constantFrom(0, 10_000, 60_000),
      lostPodCleanupMs: fc.constantFrom(undefined, 25_000),
      latencies: arbitraryLatencies,
      meddling: arbitraryMeddling,
    })
    .map(({ fill, idleGraceMs, lostPodCleanupMs, latencies, meddling, ...rest }) => ({
      meddling,
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

/** Jobs that were lost because a pod of theirs was ended: a blip loses jobs, too, also those that are being committed. */
export function lossesByResize({ meddling }: Stream, { losses, instance }: Simulation) {
  const isOfBlip = ({ job, rank }: Loss) => {
    const lostMs = (job.times.CLEANUP ?? 0) - instance.startedAt
    return meddling.some(
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

/** After so long a run has shown what there was to see. */
const END_MS = 900_000

/**
 * Runs a stream until its jobs have ended.
 *
 * @param look is told after every event; `false` ends the run
 */
export function runStream(
  { options, meddling }: Stream,
  look: (simulation: Simulation) => unknown,
): Simulation {
  const simulation = new Simulation(options)
  for (const one of meddling) simulation.at(one.atMs, () => meddle(simulation, one))
  while (!simulation.isDone && simulation.elapsedMs < END_MS) {
    simulation.step()
    if (look(simulation) === false) break
  }
  return simulation
}

function meddle(simulation: Simulation, one: Meddling): void {
  const { instance } = simulation
  if (one.kind === 'cancel') {
    const job = [...instance.jobs.keys()][one.nth]
    if (job !== undefined) instance.cancel(job)
    return
  }
  const { rank } = one
  if (one.kind === 'blip') {
    simulation.pods.blip(rank, one.forMs)
    return
  }
  // Flux refuses to drain what is drained. It stays so: who gives a rank back whose pod is ending offers it to jobs.
  if (instance.nodes[rank]?.drain === undefined) instance.drain([rank], BROKEN)
}
