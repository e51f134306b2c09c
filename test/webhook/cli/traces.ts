// Traces for tests of charts and pictures. Everything is 0 except the fields that a test sets.
import type { State, Trace } from '../../../webhook/cli/simulate/trace.ts'

const NOTHING: State = {
  atMs: 0,
  pods: 0,
  nodes: 0,
  room: 0,
  busy: 0,
  size: 0,
  desired: undefined,
  running: 0,
  pending: 0,
  lost: 0,
}

const SUMMARY: Trace['summary'] = {
  nodeHours: 0,
  boughtNodeHours: 0,
  busyNodeHours: 0,
  meanWait: 0,
  longestWait: 0,
  completed: 0,
  killed: 0,
  unfinished: 0,
  refused: 0,
  canceled: 0,
  timedOut: 0,
  doneAfter: undefined,
}

export function traceOf(endMs: number, ...states: readonly Partial<State>[]): Trace {
  return {
    states: states.map((state) => {
      const { pods = 0 } = state
      return { ...NOTHING, nodes: pods, room: pods, ...state }
    }),
    endMs,
    summary: SUMMARY,
    waits: { ended: [], since: [] },
  }
}
