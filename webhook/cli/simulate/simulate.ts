// `flux-metrics simulate`: the sizes that HPAs would set for a queue of jobs. Its flags, its help, and its runs; the
// simulation itself is in simulation.ts.
import {
  type Command,
  EXIT,
  type ExitCode,
  type Io,
  refuseUsage,
  reportProblems,
} from '../command.ts'
import type { HpaSpec } from '../hpa-controller/spec.ts'
import { readInputs, reasonOf } from '../input/files/inputs.ts'
import { readFlags } from '../input/flags.ts'
import { Progress } from '../output/progress.ts'
import { formatComparison, panelOf } from './comparison.ts'
import { drawPicture, type Panel } from './drawing/svg.ts'
import { formatDuration } from './duration.ts'
import type { NamedHpa } from './input/hpa-source.ts'
import { NODE_FLAGS, NODE_HELP, readNodePool } from './input/node-flags.ts'
import { QUEUE_KIND, type QueueOfJobs } from './input/queue-source.ts'
import { readSimulationInput } from './input/simulation-input.ts'
import type { NodePoolOptions } from './node-pool.ts'
import { Simulation } from './simulation.ts'
import { extendTrace, type Trace, traceRun } from './trace.ts'

const FLAGS = {
  filename: { type: 'string', short: 'f', multiple: true },
  drain: { type: 'boolean' },
  svg: { type: 'string' },
  ...NODE_FLAGS,
} as const

/** Longer runs are cut. */
const LIMIT_SECONDS = 86_400

export const SIMULATE: Command = {
  name: 'simulate',
  summary: 'run a queue of jobs under HPAs; show sizes, waits and killed jobs',
  help: () => `Usage: flux-metrics simulate [-f FILE]... [options]

Runs a queue of jobs on a simulated MiniCluster, once for each HPA in the input,
and shows nodes over time, waiting times, node-hours and killed jobs. Without an
HPA in the input it uses the recommended one. The code of the sidecar computes
the metrics. Sizes follow the rules of the HPA controller of Kubernetes. Pods
take the time to start and to end that was measured on a real cluster.

  -f, --filename FILE  YAML or JSON file, - for standard input; repeatable
                       [standard input]. The files contain one
                       ${QUEUE_KIND}, any number of HPAs, and
                       recordings of jobs as "flux jobs -a --json" prints them
      --drain          drain ranks before node_desired_count falls, like the
                       annotation flux-metrics/drain; only for HPAs on
                       node_desired_* metrics
      --svg FILE       write a picture (SVG) to FILE as well
${NODE_HELP}

Example of a queue. All fields but nodes.max, jobs and duration are optional. A
job may also have gpus, tasks, urgency and timeLimit; its cores, gpus and tasks
are those of the whole job. With queues, each job names its queue.

  apiVersion: flux-metrics/v1alpha1
  kind: Queue
  spec:
    nodes: { start: 1, max: 16, cores: 8, gpus: 0 }  # cores, gpus: of each node
                             # available: 12 gives nodes to 12 pods only; the
                             # others stay Pending
    jobs:
      - { nodes: 4, duration: 10m, queue: debug }
      - { at: 2m, every: 30s, count: 20, cores: 8, duration: 90s, queue: batch }
    queues: { batch: 0-11, debug: 12-15 }            # ranks of each queue
    fill: lowest             # ranks to use first; highest is Fluxion's default
    refuseWide: false        # true: a job for more nodes than are up fails at
                             # once, as with Fluxion's queue policy fcfs
    passAbsent: false        # true: jobs pass one that needs more nodes than
                             # are up, as with Fluxion's easy, conservative
    idleGrace: 60s           # how long the sidecar keeps idle nodes
    until: 2h                # the run ends at this time; the default is 24h

Exit codes: 0 the runs are shown; 2 wrong usage or input.
`,
  run,
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const flags = readFlags(args, FLAGS)
  if (flags.kind === 'problem') return refuseUsage(io, 'simulate', flags.problem)
  const { filename: files = [], drain = false, svg } = flags.values
  const pool = readNodePool(flags.values)
  if (typeof pool === 'string') return refuseUsage(io, 'simulate', pool)
  const inputs = await readInputs(files, io)
  const read = readSimulationInput(inputs.found)
  const problems = inputs.problems.length > 0 ? inputs.problems : read.problems
  const [input] = read.found
  if (problems.length > 0 || input === undefined) return reportProblems(io, problems)
  for (const warning of input.warnings) io.err.write(`${warning}\n`)
  if (svg !== undefined) {
    // Before the runs, which may take a minute.
    const failure = await failureToWrite(svg, () => io.checkWritable(svg))
    if (failure !== undefined) return reportProblems(io, [failure])
  }
  const progress = new Progress(io.err)
  const runs = input.hpas.map((hpa, index) =>
    runUnder(hpa, input.queue, {
      drain,
      pool,
      onProgress: (part) =>
        progress.show(
          `HPA ${index + 1} of ${input.hpas.length}, ${hpa.name}: ${Math.floor(part * 100)} % of the jobs have ended`,
        ),
    }),
  )
  progress.end()
  const endMs = Math.max(1, ...runs.map(({ trace }) => trace.endMs))
  const panels = runs.map(({ hpa, trace }) => panelOf(hpa, extendTrace(trace, endMs)))
  for (const warning of warningsOf(input.queue, panels)) io.err.write(`warning: ${warning}\n`)
  const scale = { maxNodes: input.queue.nodes.max, endMs }
  io.out.write(formatComparison(panels, scale, io.out.columns))
  if (svg !== undefined) {
    const failure = await failureToWrite(svg, () => io.writeFile(svg, drawPicture(panels, scale)))
    if (failure !== undefined) return reportProblems(io, [failure])
  }
  return EXIT.ok
}

/** @returns a sentence if it fails */
async function failureToWrite(path: string, act: () => Promise<void>): Promise<string | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    return `Cannot write ${path}: ${reasonOf(error)}`
  }
}

interface Run {
  readonly hpa: NamedHpa
  readonly trace: Trace
}

interface RunOptions {
  readonly drain: boolean
  /** How nodes are bought; `undefined`: they are there at once. */
  readonly pool: NodePoolOptions | undefined
  readonly onProgress: (part: number) => void
}

/** Runs the queue under one HPA. */
function runUnder(hpa: NamedHpa, queue: QueueOfJobs, { drain, pool, onProgress }: RunOptions): Run {
  const { nodes, fill, refuseWide, passAbsent, queues, idleGrace, arrivals } = queue
  const { spec } = hpa
  const { minReplicas = 1 } = spec
  const simulation = new Simulation({
    instance: {
      maxSize: nodes.max,
      coresPerNode: nodes.cores,
      gpusPerNode: nodes.gpus,
      fill,
      refusesMoreThanUp: refuseWide,
      passesAbsent: passAbsent,
      ...(queues && { queues }),
    },
    size: nodes.start,
    ...(nodes.available !== undefined && { available: nodes.available }),
    ...(pool && { nodes: pool }),
    arrivals,
    hpa: spec,
    quorum: minReplicas,
    snapshots: {
      drains: drain && isOnDesiredSize(spec) ? { instance: 'simulation' } : undefined,
      ...(idleGrace !== undefined && { patience: { idleGraceMs: idleGrace * 1000 } }),
    },
  })
  const limitMs = secondsOf(queue) * 1000
  return { hpa, trace: traceRun(simulation, { limitMs, restSize: minReplicas, onProgress }) }
}

function secondsOf({ until = LIMIT_SECONDS }: QueueOfJobs): number {
  return Math.min(until, LIMIT_SECONDS)
}

/** Jobs that the runs do not show. */
function warningsOf(queue: QueueOfJobs, panels: readonly Panel[]): readonly string[] {
  const { arrivals } = queue
  const seconds = secondsOf(queue)
  const late = arrivals.filter(({ atMs }) => atMs >= seconds * 1000).length
  const refused = Math.max(...panels.map(({ trace }) => trace.summary.refused))
  const of = `of ${arrivals.length} jobs`
  const has = queue.refuseWide ? 'has' : 'can have'
  return [
    ...(late === 0
      ? []
      : [`${late} ${of} are submitted after ${formatDuration(seconds)}, when the run ends`]),
    ...(refused === 0
      ? []
      : [`${refused} ${of} need more than the MiniCluster ${has}: the scheduler refuses them`]),
  ]
}

/** Whether the HPA follows a metric that falls only after ranks are drained. */
function isOnDesiredSize({ metrics }: HpaSpec): boolean {
  return metrics.some((metric) => {
    const { name } = (metric.type === 'Object' ? metric.object : metric.external).metric
    return name.startsWith('node_desired_')
  })
}
