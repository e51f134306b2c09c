// The state of Flux as Prometheus gauges, read from the snapshot at each scrape. While it is stale these gauges have no
// samples: a gap in a graph is correct, a line that repeats the last number is not.
import { Gauge, type Registry } from 'prom-client'
import { SIZE_COUNTS } from '#metrics/size-counts.ts'
import type { JobCounts, Jobs } from '#reading/facts.ts'
import type { Reading, Snapshot, SnapshotSource } from '#scaling/snapshot.ts'

const JOB_STATES = ['new', 'depend', 'priority', 'sched', 'run', 'cleanup', 'inactive'] as const

const JOB_RESULTS = ['successful', 'failed', 'canceled', 'timeout'] as const

/** The size and its causes: one gauge for each, because they overlap. */
const SIZES: readonly (readonly [size: keyof typeof SIZE_COUNTS, name: string, help: string])[] = [
  ['desired', 'flux_desired_nodes', 'Size that the MiniCluster should have: node_desired_count'],
  ['floor', 'flux_floor_nodes', '1 + the highest busy rank: node_floor_count'],
  ['demand', 'flux_demand_nodes', 'Nodes that hold jobs, or would get pending jobs'],
  ['pending', 'flux_pending_nodes', 'Nodes that eligible pending jobs ask for'],
  ['stranded', 'flux_stranded_nodes', 'Nodes below the floor that are not busy'],
  ['ownDrained', 'flux_own_drained_nodes', 'Nodes drained by the sidecar, to shrink'],
  ['lost', 'flux_lost_nodes', 'Nodes given up after a long time offline'],
  ['infeasible', 'flux_infeasible_jobs', 'Pending jobs that ask for more than R has'],
  ['refused', 'flux_refused_jobs', 'Jobs refused lately that no size helps'],
  ['unhelped', 'flux_unhelped_jobs', 'Jobs that fit and that more nodes did not help'],
]

/** The label of jobs without a named queue: with them the samples of a state add up to the count of the instance. */
const NO_QUEUE = ''

/** Registers the gauges; `source` is read at each scrape. */
export function registerFluxGauges(registry: Registry, source: SnapshotSource): void {
  gauge(registry, source, {
    name: 'flux_nodes',
    help: 'Nodes of the Flux instance; states overlap (up = total - down)',
    labelNames: ['state'],
    collect: (snapshot, set) => setEach(snapshot.nodes, set),
  })
  gauge(registry, source, {
    name: 'flux_cores',
    help: 'Cores of the Flux instance; states overlap (up = allocated + free, except on lost nodes)',
    labelNames: ['state'],
    collect: (snapshot, set) => setEach(snapshot.cores, set),
  })
  gauge(registry, source, {
    name: 'flux_gpus',
    help: 'GPUs of the Flux instance; states overlap (up = allocated + free, except on lost nodes)',
    labelNames: ['state'],
    collect: (snapshot, set) => setEach(snapshot.gpus, set),
  })
  gauge(registry, source, {
    name: 'flux_jobs',
    help: 'Jobs by state and queue; queue "" has the jobs without a named queue, so that sums are right',
    labelNames: ['state', 'queue'],
    collect: ({ jobs }, set) => setJobs(jobs, { label: 'state', keys: JOB_STATES, set }),
  })
  gauge(registry, source, {
    name: 'flux_jobs_ended',
    help: 'Inactive jobs that Flux still remembers, by result and queue',
    labelNames: ['result', 'queue'],
    collect: ({ jobs }, set) => setJobs(jobs, { label: 'result', keys: JOB_RESULTS, set }),
  })
  for (const [size, name, help] of SIZES) {
    gauge(registry, source, {
      name,
      help,
      labelNames: [],
      collect: (snapshot, set) => {
        const count = SIZE_COUNTS[size](snapshot)
        if (count !== undefined) set({}, count)
      },
    })
  }
  registerFreshness(registry, source)
}

function registerFreshness(registry: Registry, source: SnapshotSource): void {
  const fresh: Gauge = new Gauge({
    name: 'flux_snapshot_fresh',
    help: '1 while the snapshot of Flux is fresh, else 0',
    registers: [registry],
    collect: () => fresh.set(source.reading().kind === 'fresh' ? 1 : 0),
  })
  const age: Gauge = new Gauge({
    name: 'flux_snapshot_age_seconds',
    help: 'Time since Flux was last read; absent if it never was',
    registers: [registry],
    collect() {
      const since = readAt(source.reading())
      if (since === undefined) age.remove()
      else age.set(Math.max(0, Date.now() - since.getTime()) / 1000)
    },
  })
}

function readAt(reading: Reading): Date | undefined {
  return reading.kind === 'fresh' ? reading.snapshot.takenAt : reading.since
}

type Set = (labels: Record<string, string>, value: number) => void

interface GaugeOptions {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  collect(snapshot: Snapshot, set: Set): void
}

function gauge(registry: Registry, source: SnapshotSource, options: GaugeOptions): void {
  const { name, help, labelNames } = options
  const created: Gauge = new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      created.reset()
      // After a reset a gauge without labels is 0; it must be absent.
      if (labelNames.length === 0) created.remove()
      const reading = source.reading()
      if (reading.kind === 'stale') return
      options.collect(reading.snapshot, (labels, value) => created.set(labels, value))
    },
  })
}

function setEach(counts: object, set: Set): void {
  for (const [state, count] of Object.entries(counts)) set({ state }, count)
}

interface JobSamples {
  readonly label: 'state' | 'result'
  readonly keys: readonly (keyof JobCounts)[]
  readonly set: Set
}

function setJobs(jobs: Snapshot['jobs'], { label, keys, set }: JobSamples): void {
  if (jobs.kind === 'unknown') return
  for (const key of keys) {
    for (const [queue, counts] of jobs.queues) setKnown({ [label]: key, queue }, counts[key], set)
    setKnown({ [label]: key, queue: NO_QUEUE }, withoutQueue(jobs, key), set)
  }
}

function setKnown(labels: Record<string, string>, count: number | undefined, set: Set): void {
  if (count !== undefined) set(labels, count)
}

function withoutQueue({ total, queues }: Jobs, key: keyof JobCounts): number | undefined {
  let count = total[key]
  for (const { [key]: ofQueue } of queues.values()) {
    if (count === undefined || ofQueue === undefined) return undefined
    count -= ofQueue
  }
  return count === undefined ? undefined : Math.max(0, count)
}
