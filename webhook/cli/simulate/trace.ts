// What a run of a simulation was like: its states in the order of time, and the sums that one compares runs by.
import { publishedSize } from '#scaling/sizes.ts'
import type { Job } from '#simulation/job.ts'
import type { Simulation } from './simulation.ts'

/** A state, and since when; it lasts until the next one. */
export interface State {
  /** Milliseconds since the start. */
  readonly atMs: number
  /** Pods that there are, those that come or end too. */
  readonly pods: number
  /** Pods whose ranks hold jobs. */
  readonly busy: number
  /** `spec.size`. */
  readonly size: number
  /** What the metric said; `undefined` where it was an error. */
  readonly desired: number | undefined
  readonly running: number
  readonly pending: number
  /** Jobs that were lost until then. */
  readonly lost: number
}

export interface Trace {
  readonly states: readonly State[]
  /** When the run ended: all jobs had come and gone and the MiniCluster was small again, or its time was up. */
  readonly endMs: number
  readonly summary: Summary
}

export interface Summary {
  /** Pods times hours: what is paid for. */
  readonly nodeHours: number
  /** Of these, with a job on it. */
  readonly busyNodeHours: number
  /** Seconds from submission to start, of the jobs that started. */
  readonly meanWait: number
  readonly longestWait: number
  readonly completed: number
  /** Jobs that ended because a pod of theirs was taken away. */
  readonly killed: number
  /** Jobs that had not ended, most of them never started. */
  readonly unfinished: number
  /** Seconds until the last job had ended; `undefined` if some had not. */
  readonly doneAfter: number | undefined
}

const HOUR_MS = 3_600_000

export interface TraceOptions {
  /** The longest that may be simulated. */
  readonly limitMs: number
  /** The size at which a MiniCluster without jobs is done. */
  readonly restSize: number
}

/** Runs it to its end. */
export function traceRun(simulation: Simulation, { limitMs, restSize }: TraceOptions): Trace {
  const states: State[] = []
  let doneAtMs: number | undefined
  while (simulation.elapsedMs < limitMs) {
    simulation.step()
    if (simulation.elapsedMs >= limitMs) break
    note(states, stateOf(simulation))
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

/** Keeps the last state of a moment, and none that is like the one before. */
function note(states: State[], state: State): void {
  const last = states.at(-1)
  if (last?.atMs === state.atMs) states.pop()
  const before = states.at(-1)
  const isAlike =
    before !== undefined &&
    before.pods === state.pods &&
    before.busy === state.busy &&
    before.size === state.size &&
    before.desired === state.desired &&
    before.running === state.running &&
    before.pending === state.pending &&
    before.lost === state.lost
  if (!isAlike) states.push(state)
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
  let podMs = 0
  let busyMs = 0
  for (const [index, { atMs, pods, busy }] of states.entries()) {
    const lastsMs = (states[index + 1]?.atMs ?? endMs) - atMs
    podMs += pods * lastsMs
    busyMs += busy * lastsMs
  }
  const jobs = [...instance.jobs.values()]
  const waits = jobs.flatMap(waitOf)
  return {
    nodeHours: podMs / HOUR_MS,
    busyNodeHours: busyMs / HOUR_MS,
    meanWait: waits.length === 0 ? 0 : waits.reduce((sum, wait) => sum + wait, 0) / waits.length,
    longestWait: Math.max(0, ...waits),
    completed: jobs.filter(({ result }) => result === 'successful').length,
    killed: losses.length,
    unfinished: jobs.filter(({ state }) => state !== 'INACTIVE').length,
    doneAfter: isDone && doneAtMs !== undefined ? doneAtMs / 1000 : undefined,
  }
}

function waitOf({ times: { NEW = 0, RUN } }: Job): readonly number[] {
  return RUN === undefined ? [] : [(RUN - NEW) / 1000]
}
