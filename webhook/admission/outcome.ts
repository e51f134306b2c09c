// The outcome of a review: what is answered, logged, counted and written as Events. Decides nothing, and reports nothing itself.
import { shorten } from '#serving/text.ts'
import { CONTAINER_NAME } from '../contract.ts'
import type { EventText } from '../events/event.ts'
import type { Operation } from '../injection/json-patch.ts'
import type { MiniCluster } from '../objects/minicluster.ts'
import { displayName, type Pod } from '../objects/pod.ts'
import type { Advice } from './advice/minicluster-advice.ts'
import type { Note } from './later-events.ts'
import type { Skip } from './skip.ts'

/** The result of a review. */
export interface Outcome {
  readonly decision: 'inject' | 'skip' | 'protect' | 'advise'
  /** For programs: a word of a closed list. */
  readonly reason: string
  /** One sentence for people; `undefined` where the reason says it all. */
  readonly why: string | undefined
  /** Name of the object in the log. */
  readonly object: string
  readonly patch: readonly Operation[]
  readonly warnings: readonly string[]
  /** As the API server answered it. */
  readonly minicluster: MiniCluster | undefined
  /** About that MiniCluster. */
  readonly events: readonly EventText[]
  /** About a MiniCluster that the API server was not asked for yet. */
  readonly later?: readonly Note[]
}

/** Characters of a name and of a sentence in log lines and Events. Those of real objects are shorter. */
const MAX_NAME = 253
export const MAX_SENTENCE = 500

/** The operator updates a MiniCluster often, mostly with nothing to report: such a review is logged at debug only. */
export function levelOf({ decision, reason, warnings }: Outcome): 'debug' | 'info' | 'warn' {
  if (reason === 'LookUpFailed') return 'warn'
  return decision === 'advise' && warnings.length === 0 ? 'debug' : 'info'
}

export function skipped(
  { reason, message: sentence, isReported }: Skip,
  context: Partial<Pick<Outcome, 'object' | 'warnings' | 'minicluster'>> = {},
): Outcome {
  const { object = '?', warnings = [], minicluster } = context
  const message = shorten(sentence, { characters: MAX_SENTENCE })
  const event = { type: 'Warning', reason: 'MetricsNotInjected' } as const
  return {
    decision: 'skip',
    reason,
    why: message,
    object,
    patch: [],
    warnings: isReported && !warnings.includes(message) ? [...warnings, message] : warnings,
    minicluster,
    events: [
      ...(isReported ? [{ ...event, message: `${reason}: ${message}` }] : []),
      ...warningEvents('MetricsAnnotations', warnings),
    ],
  }
}

/** Said of a pod that was repaired (injection/repair.ts). */
export const REPAIRED =
  `Another webhook took restartPolicy from the container "${CONTAINER_NAME}", which is an ordinary one now: ` +
  'update that webhook, which breaks native sidecars'

export function warningEvents(reason: string, warnings: readonly string[]): readonly EventText[] {
  if (warnings.length === 0) return []
  return [{ type: 'Warning', reason, message: warnings.join('; ') }]
}

/** The result of advice about the MiniCluster of that name. Its Events say what the warnings say. */
export function advised(name: string, warnings: Advice['warnings']): Outcome {
  return {
    decision: 'advise',
    reason: warnings.length > 0 ? 'Warned' : 'Nothing',
    why: undefined,
    object: shorten(name, { characters: MAX_NAME }),
    patch: [],
    warnings,
    minicluster: undefined,
    events: [],
  }
}

export function nameOf(pod: Pod): string {
  return shorten(displayName(pod), { characters: MAX_NAME })
}
