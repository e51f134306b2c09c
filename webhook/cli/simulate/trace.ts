// Runs a simulation and records it: its states in the order of time, and the sums by which runs are compared.
import { publishedSize } from '#scaling/sizes.ts'
import type { Job } from '#simulation/jobs/job.ts'
import type { Simulation } from './simulation.ts'

/** A state, which lasts until the next one. */
export interface State {
  /** Milliseconds since the start. */
  readonly atMs: number
  /** Pods that have a node, also those that start or end. */
  readonly pods: number
  /** Nodes that cost money: those that boot and the empty ones, too. */
  readonly nodes: number
  /** Pods that these nodes have room for. */
  readonly room: number
  /** Pods whose ranks hold jobs. */
  readonly busy: number
  /** `spec.size`. */
  readonly size: number
  /** The desired size that the sidecar publishes; `undefined` if it answers an error. */
  readonly desired: number | undefined
  readonly running: number
  readonly pending: number
  /** Jobs that were killed so far. */
  readonly lost: number
}

export interface Trace {
  readonly states: readonly State[]
  /** When the run ended: all jobs had ended and the MiniCluster was small again, or the time limit was reached. */
  readonly endMs: number
  readonly summary: Summary
  readonly waits: Waits
}

/** In seconds. */
export interface Waits {
  /** From submission to start, or to the end of a job that was canceled before. */
  readonly ended: readonly number[]
  /** When the jobs were submitted that never started: they wait until the end, also if the scheduler refused them. */
  readonly since: readonly number[]
}

export interface Summary {
  /** Pods with a node, times hours. */
  readonly nodeHours: number
  /** Nodes times hours, from their order to their end: what costs money. */
  readonly boughtNodeHours: number
  /** The node-hours with a job. */
  readonly busyNodeHours: number
  /** Seconds from submission to start; of jobs that did not start, until they were canceled or the runs ended. */
  readonly meanWait: number
  readonly longestWait: number
  readonly completed: number
  /** Jobs that failed because one of their pods ended. */
  readonly killed: number
  /** Jobs that had not ended at the end of the run. */
  readonly unfinished: number
  /** Jobs that their users canceled. */
  readonly canceled: number
  /** Jobs that reached their time limit. */
  readonly timedOut: number
  /** Jobs that the scheduler refused, because they need more than the MiniCluster can have. */
  readonly refused: number
  /** Seconds until the last job ended; `undefined` if some had not. */
  readonly doneAfter: number | undefined
}

const HOUR_MS = 3_600_000

export interface TraceOptions {
  /** A longer run is cut. */
  readonly limitMs: number
  /** The run ends when all jobs have ended and the MiniCluster has this size. */
  readonly restSize: number
  /** Called now and then with the part of the jobs that have ended, from 0 to 1. */
  readonly onProgress?: (part: number) => void
}

/** Steps between two reports of the progress. */
const REPORT_STEPS = 2_000

/** Runs a simulation to its end. */
export function traceRun(
  simulation: Simulation,
  { limitMs, restSize, onProgress }: TraceOptions,
): Trace {
  const states: State[] = []
  let doneAtMs: number | undefined
  for (let step = 0; simulation.elapsedMs < limitMs; step += 1) {
    if (step % REPORT_STEPS === 0) onProgress?.(simulation.doneShare)
    simulation.step()
    if (simulation.elapsedMs >= limitMs) break
    record(states, stateOf(simulation))
    if (!simulation.isDone) continue
    doneAtMs ??= simulation.elapsedMs
    if (simulation.pods.count <= restSize && !simulation.pods.hasEmptyNodes) break
  }
  const endMs = Math.min(simulation.elapsedMs, limitMs)
  const waits = waitsOf(simulation)
  const summary = summaryOf(simulation, { states, endMs, doneAtMs, waits })
  return { states, endMs, waits, summary }
}

function stateOf(simulation: Simulation): State {
  const { instance, pods, published } = simulation
  const size = published && publishedSize(published.sizes)
  return {
    atMs: simulation.elapsedMs,
    pods: pods.placed,
    nodes: pods.nodes,
    room: pods.room,
    busy: instance.nodes.filter(({ online, idle }) => online && !idle).length,
    size: simulation.size,
    desired: typeof size === 'number' ? size : undefined,
    running: instance.running.size,
    pending: instance.pending.length,
    lost: simulation.losses.length,
  }
}

/** Adds a state. It replaces one of the same time, and is left out if it equals the one before. */
function record(states: State[], state: State): void {
  const last = states.at(-1)
  if (last?.atMs === state.atMs) states.pop()
  const before = states.at(-1)
  const isEqual =
    before !== undefined &&
    before.pods === state.pods &&
    before.nodes === state.nodes &&
    before.busy === state.busy &&
    before.size === state.size &&
    before.desired === state.desired &&
    before.running === state.running &&
    before.pending === state.pending &&
    before.lost === state.lost
  if (!isEqual) states.push(state)
}

function summaryOf(
  { instance, losses, isDone }: Simulation,
  run: {
    readonly states: readonly State[]
    readonly endMs: number
    readonly doneAtMs: number | undefined
    readonly waits: Waits
  },
): Summary {
  const { states, endMs, doneAtMs, waits } = run
  const { results } = instance.tally()
  return {
    ...nodeHoursOf(states, endMs),
    ...meanAndLongest(waits, endMs),
    completed: results.successful,
    killed: losses.length,
    unfinished: instance.active.size,
    canceled: results.canceled,
    timedOut: results.timeout,
    refused: instance.failed.filter(isRefused).length,
    doneAfter: isDone && doneAtMs !== undefined ? doneAtMs / 1000 : undefined,
  }
}

function nodeHoursOf(
  states: readonly State[],
  endMs: number,
): Pick<Summary, 'nodeHours' | 'boughtNodeHours' | 'busyNodeHours'> {
  let podMs = 0
  let nodeMs = 0
  let busyMs = 0
  for (const [index, { atMs, pods, nodes, busy }] of states.entries()) {
    const lastsMs = (states[index + 1]?.atMs ?? endMs) - atMs
    podMs += pods * lastsMs
    nodeMs += nodes * lastsMs
    busyMs += busy * lastsMs
  }
  return {
    nodeHours: podMs / HOUR_MS,
    boughtNodeHours: nodeMs / HOUR_MS,
    busyNodeHours: busyMs / HOUR_MS,
  }
}

/** The same run, looked at for longer: nothing changes after its end. Runs are compared over the same time. */
export function extendTrace(trace: Trace, endMs: number): Trace {
  const { states, summary, waits } = trace
  const sums = { ...nodeHoursOf(states, endMs), ...meanAndLongest(waits, endMs) }
  return { ...trace, endMs, summary: { ...summary, ...sums } }
}

function isRefused({ exception }: Job): boolean {
  return exception?.type === 'alloc'
}

function waitsOf({ instance }: Simulation): Waits {
  const ended: number[] = []
  const since: number[] = []
  for (const job of instance.jobs.values()) {
    const { NEW = 0, RUN, INACTIVE } = job.times
    const until = RUN ?? (isRefused(job) ? undefined : INACTIVE)
    if (until === undefined) since.push((NEW - instance.startedAt) / 1000)
    else ended.push((until - NEW) / 1000)
  }
  return { ended, since }
}

function meanAndLongest(
  { ended, since }: Waits,
  endMs: number,
): Pick<Summary, 'meanWait' | 'longestWait'> {
  let sum = 0
  let longestWait = 0
  const add = (wait: number) => {
    sum += wait
    longestWait = Math.max(longestWait, wait)
  }
  for (const wait of ended) add(wait)
  for (const submitted of since) add(endMs / 1000 - submitted)
  const count = ended.length + since.length
  return { meanWait: count === 0 ? 0 : sum / count, longestWait }
}
