// Runs a simulation and records it: its states in the order of time, and the sums by which runs are compared.
import { publishedSize } from '#scaling/sizes.ts'
import type { Job } from '#simulation/job.ts'
import type { Simulation } from './simulation.ts'

/** A state, which lasts until the next one. */
export interface State {
  /** Milliseconds since the start. */
  readonly atMs: number
  /** All pods, also those that start or end. */
  readonly pods: number
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
}

export interface Summary {
  /** Pods times hours: the nodes that cost money. */
  readonly nodeHours: number
  /** The node-hours with a job. */
  readonly busyNodeHours: number
  /** Seconds from submission to start; of jobs that did not start, until they were canceled or the run ended. */
  readonly meanWait: number
  readonly longestWait: number
  readonly completed: number
  /** Jobs that failed because one of their pods ended. */
  readonly killed: number
  /** Jobs that had not ended at the end of the run. */
  readonly unfinished: number
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
}

/** Runs a simulation to its end. */
export function traceRun(simulation: Simulation, { limitMs, restSize }: TraceOptions): Trace {
  const states: State[] = []
  let doneAtMs: number | undefined
  while (simulation.elapsedMs < limitMs) {
    simulation.step()
    if (simulation.elapsedMs >= limitMs) break
    record(states, stateOf(simulation))
    if (!simulation.isDone) continue
    doneAtMs ??= simulation.elapsedMs
    if (simulation.pods.count <= restSize) break
  }
  const endMs = Math.min(simulation.elapsedMs, limitMs)
  return { states, endMs, summary: summaryOf(simulation, { states, endMs, doneAtMs }) }
}

function stateOf(simulation: Simulation): State {
  const { instance, pods, published } = simulation
  const size = published && publishedSize(published.sizes)
  return {
    atMs: simulation.elapsedMs,
    pods: pods.count,
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
  },
): Summary {
  const { states, endMs, doneAtMs } = run
  const jobs = [...instance.jobs.values()]
  const waits = jobs
    .filter((job) => !isRefused(job))
    .map((job) => waitOf(job, instance.startedAt + endMs))
  return {
    ...nodeHoursOf(states, endMs),
    meanWait: waits.length === 0 ? 0 : waits.reduce((sum, wait) => sum + wait, 0) / waits.length,
    longestWait: waits.reduce((longest, wait) => Math.max(longest, wait), 0),
    completed: jobs.filter(({ result }) => result === 'successful').length,
    killed: losses.length,
    unfinished: jobs.filter(({ state }) => state !== 'INACTIVE').length,
    refused: jobs.filter(isRefused).length,
    doneAfter: isDone && doneAtMs !== undefined ? doneAtMs / 1000 : undefined,
  }
}

function nodeHoursOf(
  states: readonly State[],
  endMs: number,
): Pick<Summary, 'nodeHours' | 'busyNodeHours'> {
  let podMs = 0
  let busyMs = 0
  for (const [index, { atMs, pods, busy }] of states.entries()) {
    const lastsMs = (states[index + 1]?.atMs ?? endMs) - atMs
    podMs += pods * lastsMs
    busyMs += busy * lastsMs
  }
  return { nodeHours: podMs / HOUR_MS, busyNodeHours: busyMs / HOUR_MS }
}

/** The same run, looked at for longer: nothing changes after its end. Runs are compared over the same time. */
export function extendTrace(trace: Trace, endMs: number): Trace {
  const { states, summary } = trace
  return { ...trace, endMs, summary: { ...summary, ...nodeHoursOf(states, endMs) } }
}

function isRefused({ exception }: Job): boolean {
  return exception?.type === 'alloc'
}

/** In seconds. */
function waitOf({ times: { NEW = 0, RUN, INACTIVE } }: Job, end: number): number {
  return ((RUN ?? INACTIVE ?? end) - NEW) / 1000
}
