// `flux-metrics simulate`: what HPAs would make of a queue of jobs. Here are its flags, its help, and what it reads and
// prints; the simulation itself is in simulation/.

import { type Command, EXIT, type ExitCode, type Io, reportProblems } from '../command.ts'
import { behaviorFor } from '../hpa/recommended-hpa.ts'
import { type ReadResult, readDocuments } from '../input/documents.ts'
import { readFlags } from '../input/flags.ts'
import { type Input, readInputs, reasonOf } from '../input/inputs.ts'
import { formatTable } from '../output/table.ts'
import { drawChart, LEGEND } from './chart.ts'
import { formatDuration } from './duration.ts'
import type { HpaSpec } from './hpa-controller/spec.ts'
import { isHpa, type NamedHpa, readHpa } from './hpa-source.ts'
import { isRecording, readRecording } from './jobs-recording.ts'
import { isQueue, QUEUE_KIND, type QueueOfJobs, readQueue } from './queue-source.ts'
import { Simulation } from './simulation.ts'
import { drawPicture, type Panel } from './svg.ts'
import { type Trace, traceRun } from './trace.ts'

const FLAGS = {
  filename: { type: 'string', short: 'f', multiple: true },
  drain: { type: 'boolean' },
  svg: { type: 'string' },
} as const

/** Longer runs are cut. */
const LIMIT_SECONDS = 86_400

const PLOT = { columns: 66, rows: 8 } as const

export const SIMULATE: Command = {
  name: 'simulate',
  summary: 'replay a queue of jobs against HPAs, and see sizes, waits and killed jobs',
  help: () => `Usage: flux-metrics simulate [-f FILE]... [options]

Replays a queue of jobs on a simulated MiniCluster, once for each HPA that it is given,
and shows what became of them: nodes over time, waits, node-hours, killed jobs. Without an
HPA it takes the recommended one. Metrics are computed by the sidecar's own code, sizes as
the controller of Kubernetes does; pods come and go as measured on a real cluster.

  -f, --filename FILE    YAML or JSON with a ${QUEUE_KIND} and
                         HorizontalPodAutoscalers, or jobs for it as
                         "flux jobs -a --json" prints them; - for standard input;
                         repeatable [standard input]
      --drain            drain ranks before node_desired_count falls, as the annotation
                         flux-metrics/drain does; HPAs on other metrics go without
      --svg FILE         draw a picture as well

A queue:

  apiVersion: flux-metrics/v1alpha1
  kind: Queue
  spec:
    nodes: { start: 1, max: 16, cores: 8, gpus: 0 }   # what the MiniCluster has
    jobs:                                             # cores, gpus, tasks: of a whole job
      - { nodes: 4, duration: 10m }
      - { at: 2m, every: 30s, count: 20, cores: 8, duration: 90s, urgency: 16 }
    queues: { batch: 0-11, debug: 12-15 }             # and of a job: queue
    fill: lowest                                      # or highest, as Fluxion by default
    idleGrace: 60s
    until: 2h

Exit code: 0 shown, 2 wrong usage or input.
`,
  run,
}

/** Everything that was read. */
interface Scene {
  readonly queue: QueueOfJobs
  readonly hpas: readonly NamedHpa[]
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const flags = readFlags(args, FLAGS)
  if (flags.kind === 'problem') {
    return reportProblems(io, [
      `flux-metrics simulate: ${flags.problem}`,
      'See flux-metrics simulate --help',
    ])
  }
  const { filename: files = [], drain = false, svg } = flags.values
  const inputs = await readInputs(files, io)
  const scene = readScene(inputs.found)
  const problems = inputs.problems.length > 0 ? inputs.problems : scene.problems
  const [found] = scene.found
  if (problems.length > 0 || found === undefined) return reportProblems(io, problems)
  const panels = found.hpas.map((hpa) => simulate(found.queue, hpa, drain))
  const scale = scaleOf(panels, found.queue)
  io.out.write(show(panels, scale))
  if (svg !== undefined) {
    try {
      await io.writeFile(svg, drawPicture(panels, scale))
    } catch (error) {
      return reportProblems(io, [`Cannot write ${svg}: ${reasonOf(error)}`])
    }
  }
  return EXIT.ok
}

/** Reads one queue, of a document or with the jobs of recordings, and HPAs. */
function readScene(inputs: readonly Input[]): ReadResult<Scene> {
  const recordings = inputs.filter(({ text }) => isRecording(text))
  const documents = inputs
    .filter((input) => !recordings.includes(input))
    .map(({ name, text }) => readDocuments(text, name))
  const objects = documents.flatMap(({ found }) => found)
  const jobs = recordings.map(({ name, text }) => readRecording(text, name))
  const queues = objects.filter(isQueue).map(readQueue)
  const hpas = objects.filter(isHpa).map(readHpa)
  const problems = [documents, jobs, queues, hpas].flatMap((readings) =>
    readings.flatMap((reading) => reading.problems),
  )
  if (problems.length > 0) return { found: [], problems }
  const [queue, another] = queues.flatMap(({ found }) => found)
  if (queue === undefined || another !== undefined) {
    const place = objects[0]?.placeOf([]) ?? inputs[0]?.name ?? '?'
    const kinds = [...new Set(objects.map(({ kind }) => kind))].join(', ') || 'none'
    return { found: [], problems: [`${place}: expected one ${QUEUE_KIND}, found ${kinds}`] }
  }
  const arrivals = [...queue.arrivals, ...jobs.flatMap(({ found }) => found.flat())]
  if (arrivals.length === 0) {
    return {
      found: [],
      problems: [`${inputs[0]?.name}: expected jobs in spec.jobs, or a recording`],
    }
  }
  const given = hpas.flatMap(({ found }) => found)
  return {
    found: [
      { queue: { ...queue, arrivals }, hpas: given.length > 0 ? given : [recommended(queue)] },
    ],
    problems: [],
  }
}

/** As `flux-metrics hpa` writes it. */
function recommended({ nodes: { max } }: QueueOfJobs): NamedHpa {
  const describedObject = { kind: 'MiniCluster', name: 'flux-sample' }
  const target = { type: 'AverageValue', averageValue: '1' } as const
  const metric = { name: 'node_desired_count' }
  const spec: HpaSpec = {
    minReplicas: 1,
    maxReplicas: max,
    metrics: [{ type: 'Object', object: { describedObject, metric, target } }],
    behavior: behaviorFor(max, { hasTolerance: true, drains: false }),
  }
  return { name: 'recommended', spec }
}

function simulate(queue: QueueOfJobs, { name, spec }: NamedHpa, drain: boolean): Panel {
  const { nodes, fill, queues, idleGrace, until = LIMIT_SECONDS, arrivals } = queue
  const simulation = new Simulation({
    instance: {
      maxSize: nodes.max,
      coresPerNode: nodes.cores,
      gpusPerNode: nodes.gpus,
      fill,
      ...(queues && { queues }),
    },
    size: nodes.start,
    arrivals,
    hpa: spec,
    quorum: spec.minReplicas ?? 1,
    snapshots: {
      drains: drain && isOnSize(spec) ? { instance: 'simulation' } : undefined,
      ...(idleGrace !== undefined && { patience: { idleGraceMs: idleGrace * 1000 } }),
    },
  })
  const limitMs = Math.min(until, LIMIT_SECONDS) * 1000
  const trace = traceRun(simulation, { limitMs, restSize: spec.minReplicas ?? 1 })
  return { title: `${name}: ${describeMetrics(spec)}`, note: describeRun(trace), trace }
}

/** Whether its metric waits for drains. */
function isOnSize({ metrics }: HpaSpec): boolean {
  return metrics.some((metric) => {
    const { name } = (metric.type === 'Object' ? metric.object : metric.external).metric
    return name.startsWith('node_desired_')
  })
}

/** `node_up_count, Value 4`. */
function describeMetrics({ metrics }: HpaSpec): string {
  return metrics
    .map((metric) => {
      const { metric: identifier, target } =
        metric.type === 'Object' ? metric.object : metric.external
      return `${identifier.name}, ${target.type} ${target.averageValue ?? target.value ?? '?'}`
    })
    .join('; ')
}

function describeRun({ summary }: Trace): string {
  const { killed, completed, unfinished, nodeHours, meanWait } = summary
  const jobs = `${completed} jobs completed, ${killed} killed, ${unfinished} not finished`
  return `${jobs}; ${nodeHours.toFixed(1)} node-hours; mean wait ${formatDuration(meanWait)}`
}

function scaleOf(panels: readonly Panel[], { nodes }: QueueOfJobs) {
  const endMs = Math.max(1, ...panels.map(({ trace }) => trace.endMs))
  return { maxNodes: nodes.max, endMs }
}

function show(
  panels: readonly Panel[],
  scale: { readonly maxNodes: number; readonly endMs: number },
): string {
  const charts = panels.flatMap(({ title, trace }) => [
    title,
    ...drawChart(trace, { ...PLOT, ...scale }),
    '',
  ])
  const table = formatTable(
    [
      'HPA',
      'completed',
      'killed',
      'unfinished',
      'mean wait',
      'longest',
      'node-hours',
      'busy',
      'done',
    ],
    panels.map(({ title, trace }) => [title.split(':')[0] ?? '', ...cellsOf(trace)]),
  )
  return `${[...charts, LEGEND, '', ...table].join('\n')}\n`
}

function cellsOf({ summary }: Trace): readonly string[] {
  const { nodeHours, busyNodeHours, doneAfter } = summary
  return [
    String(summary.completed),
    String(summary.killed),
    String(summary.unfinished),
    formatDuration(summary.meanWait),
    formatDuration(summary.longestWait),
    nodeHours.toFixed(2),
    nodeHours === 0 ? '-' : `${Math.round((busyNodeHours / nodeHours) * 100)} %`,
    doneAfter === undefined ? 'never' : formatDuration(doneAfter),
  ]
}
