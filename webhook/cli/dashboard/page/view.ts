// What the page knows of a MiniCluster after each answer. A number is on the page only while it is the present one; of an earlier
// reading only its time is kept, and the history, which says when. Pure.
import type { ReadExplanation } from '../../input/cluster/explanation.ts'
import type { MiniClusterState } from '../data.ts'
import { type History, mergeHistory } from './hour/history.ts'

export interface View {
  /** `undefined`: not known now. */
  readonly explanation: ReadExplanation | undefined
  readonly hpas: readonly string[] | null
  /** Why it is not known; `undefined` if it is, and before the first answer. */
  readonly reason: string | undefined
  /** When Flux was read last (ISO 8601); `undefined` before the first answer. */
  readonly readAt: string | undefined
  readonly history: History | undefined
}

export const NOTHING_YET: View = {
  explanation: undefined,
  hpas: null,
  reason: undefined,
  readAt: undefined,
  history: undefined,
}

export function viewAfter(before: View, answer: MiniClusterState): View {
  if (answer.kind === 'unknown') {
    return { ...before, explanation: undefined, hpas: null, reason: answer.reason }
  }
  const { explanation, hpas } = answer
  const { history = before.history, takenAt } = explanation
  return {
    explanation,
    hpas,
    reason: undefined,
    readAt: takenAt,
    history: history && mergeHistory(before.history, history),
  }
}

/** `Wants 12 nodes, has 10`. */
export function headlineOf({ desired, present }: ReadExplanation): string {
  if (desired === null) return 'The size that it needs is not known'
  const nodes = `${desired} node${desired === 1 ? '' : 's'}`
  return desired === present ? `Has the ${nodes} that it wants` : `Wants ${nodes}, has ${present}`
}
