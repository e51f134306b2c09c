// A Queue, the input of `flux-metrics simulate`: which jobs are submitted when, and the nodes of the MiniCluster.
import * as v from 'valibot'
import { listIds } from '#flux/sets/id-list.ts'
import { type Idset, parseIdset } from '#flux/sets/idset.ts'
import type { JobRequest } from '#simulation/instance.ts'
import type { Document, ReadResult } from '../../input/files/documents.ts'
import { describeIssues } from '../../input/files/issues.ts'
import { parseDuration } from '../duration.ts'
import type { Arrival } from '../simulation.ts'

const API_VERSION = 'flux-metrics/v1alpha1'
const KIND = 'Queue'

/** Enough for a realistic queue, and few enough for a run of less than a minute. */
const MAX_JOBS = 100_000

const MAX_NODES = 10_000

const Count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(Number.MAX_SAFE_INTEGER))
const Duration = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const seconds = parseDuration(dataset.value)
    if (seconds !== undefined) return seconds
    addIssue({ message: 'a duration', expected: 'a time like 90s, 10m or 1.5h' })
    return NEVER
  }),
)
const Ranks = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const set = toIdset(dataset.value)
    // Before they are listed one by one.
    if (set !== undefined && (set.ranges.at(-1)?.last ?? 0) < MAX_NODES) return [...listIds(set)]
    const expected = set === undefined ? 'an idset such as 0-3,5' : `ranks below ${MAX_NODES}`
    addIssue({ message: 'an idset', expected })
    return NEVER
  }),
)

function toIdset(value: unknown): Idset | undefined {
  try {
    return typeof value === 'string' ? parseIdset(value) : undefined
  } catch {
    return undefined
  }
}

const JobSource = v.strictObject({
  at: v.optional(Duration, 0),
  every: v.exactOptional(Duration),
  count: v.optional(v.pipe(Count, v.maxValue(MAX_JOBS)), 1),
  nodes: v.exactOptional(Count),
  cores: v.exactOptional(Count),
  gpus: v.exactOptional(Count),
  tasks: v.exactOptional(Count),
  duration: Duration,
  timeLimit: v.exactOptional(Duration),
  urgency: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(31))),
  queue: v.exactOptional(v.string()),
})

const NodesSource = v.strictObject({
  start: v.optional(Count, 1),
  max: v.pipe(Count, v.maxValue(MAX_NODES)),
  available: v.exactOptional(Count),
  cores: v.optional(Count, 8),
  gpus: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
})

const QueueSource = v.looseObject({
  spec: v.strictObject({
    nodes: NodesSource,
    fill: v.optional(v.picklist(['lowest', 'highest']), 'lowest'),
    refuseWide: v.optional(v.boolean(), false),
    passAbsent: v.optional(v.boolean(), false),
    idleGrace: v.exactOptional(Duration),
    until: v.exactOptional(Duration),
    queues: v.exactOptional(v.record(v.string(), Ranks)),
    jobs: v.optional(v.array(JobSource), []),
  }),
})

/** The nodes of the MiniCluster. */
export interface QueueNodes {
  readonly start: number
  /** `maxSize`. */
  readonly max: number
  /** Nodes that can be had: pods beyond them stay Pending. `undefined`: any number. */
  readonly available?: number
  /** Of each node. */
  readonly cores: number
  readonly gpus: number
}

/** Jobs, and the MiniCluster that they are submitted to. */
export interface QueueOfJobs {
  readonly nodes: QueueNodes
  /** Which ranks the scheduler fills first. */
  readonly fill: 'lowest' | 'highest'
  /** Whether a job for more nodes than are up fails at once, as with Fluxion's policy fcfs. */
  readonly refuseWide: boolean
  /** Whether jobs pass one that needs more nodes than are up, as with Fluxion's policies easy and conservative. */
  readonly passAbsent: boolean
  /** Ranks by queue; `undefined`: one queue without a name. */
  readonly queues: Readonly<Record<string, readonly number[]>> | undefined
  /** Seconds; `undefined`: the sidecar's default. */
  readonly idleGrace: number | undefined
  /** Seconds after which the run ends; `undefined`: the longest run that is simulated. */
  readonly until: number | undefined
  readonly arrivals: readonly Arrival[]
}

export function isQueue({ apiVersion, kind }: Document): boolean {
  return kind === KIND && apiVersion === API_VERSION
}

/** The kind as problems and help name it. */
export const QUEUE_KIND = `${KIND} of ${API_VERSION}`

export function readQueue(document: Document): ReadResult<QueueOfJobs> {
  const parsed = v.safeParse(QueueSource, document.value)
  if (!parsed.success) return { found: [], problems: describeIssues(document, parsed.issues) }
  const { spec } = parsed.output
  const problems = problemsOf(document, spec)
  if (problems.length > 0) return { found: [], problems }
  const { jobs, ...others } = spec
  const arrivals = jobs.flatMap(toArrivals).sort((a, b) => a.atMs - b.atMs)
  const { queues, idleGrace, until } = others
  return { found: [{ ...others, queues, idleGrace, until, arrivals }], problems: [] }
}

type Spec = v.InferOutput<typeof QueueSource>['spec']

/** Problems between fields, which the schema cannot express. */
function problemsOf({ placeOf }: Document, { nodes, queues, jobs }: Spec): readonly string[] {
  const problems: string[] = []
  const addProblem = (path: readonly (string | number)[], problem: string) =>
    problems.push(`${placeOf(path)}: ${problem}`)
  if (nodes.start > nodes.max) {
    addProblem(
      ['spec', 'nodes', 'start'],
      `spec.nodes.start: expected at most spec.nodes.max, ${nodes.max}`,
    )
  }
  if (nodes.start > (nodes.available ?? nodes.start)) {
    addProblem(
      ['spec', 'nodes', 'start'],
      `spec.nodes.start: expected at most spec.nodes.available, ${nodes.available}`,
    )
  }
  for (const [name, ranks] of Object.entries(queues ?? {})) {
    const highest = Math.max(-1, ...ranks)
    if (highest < nodes.max) continue
    const problem = `expected ranks below spec.nodes.max, ${nodes.max}, got rank ${highest}`
    addProblem(['spec', 'queues', name], `spec.queues.${name}: ${problem}`)
  }
  const names = Object.keys(queues ?? {})
  let total = 0
  for (const [index, { queue, count }] of jobs.entries()) {
    total += count
    const isKnown = queues === undefined ? queue === undefined : names.includes(queue ?? '')
    if (isKnown) continue
    const expected =
      names.length === 0
        ? 'no queue, because spec.queues has none'
        : `${names.join(' or ')}, as in spec.queues`
    const got = queue === undefined ? 'none' : `"${queue}"`
    const problem = `spec.jobs[${index}].queue: expected ${expected}, got ${got}`
    addProblem(['spec', 'jobs', index], problem)
  }
  if (total > MAX_JOBS) addProblem(['spec', 'jobs'], `spec.jobs: expected at most ${MAX_JOBS} jobs`)
  return problems
}

function toArrivals(source: v.InferOutput<typeof JobSource>): readonly Arrival[] {
  const { at, every = 0, count, ...job } = source
  const request: JobRequest = job
  return Array.from({ length: count }, (_, index) => ({
    atMs: Math.round((at + index * every) * 1000),
    job: request,
  }))
}
