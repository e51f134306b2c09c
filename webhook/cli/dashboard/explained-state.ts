// The state of one MiniCluster from whoever explains it: its sidecar, or the metrics API of its cluster.
import { printable } from '#serving/text.ts'
import type { Answer } from '../input/cluster/answer.ts'
import { readExplanation } from '../input/cluster/explanation.ts'
import type { ExplainQuestion } from '../input/cluster/minicluster-target.ts'
import { NEXT_SECONDS, type Patience } from '../input/cluster/patience.ts'
import type { MiniClusterState, NotKnown } from './data.ts'

/** All that the page shows, of one reading. */
const QUESTION: ExplainQuestion = {
  format: 'json',
  include: ['jobs', 'ranks', 'history', 'metrics'],
}

/** What many tabs share. A page asks every two seconds. */
export const SHARING = { lifeMs: 1_000, most: 6 } as const

export const BUSY: NotKnown = { kind: 'unknown', reason: 'too many pages ask at once: close some' }

/** Asks for an explanation. Never rejects. */
export type Ask = (question: ExplainQuestion, patience: Patience) => Promise<Answer>

/** Without its HPAs. Never rejects. */
export async function askForState(ask: Ask, stop: AbortSignal): Promise<MiniClusterState> {
  const answer = await ask(QUESTION, { stop, seconds: NEXT_SECONDS })
  if (answer.kind === 'failure') return { kind: 'unknown', reason: printable(answer.reason) }
  const explanation = readExplanation(answer.text)
  if (typeof explanation === 'string') return { kind: 'unknown', reason: explanation }
  return { kind: 'known', explanation, hpas: null }
}
