// The warnings of an explanation, each with its cure if there is one. Pure.
import { countIds } from '#flux/sets/idset.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { enumerate, quote } from '#serving/text.ts'
import { describeUnhelped } from '../jobs/unstarted-jobs.ts'
import { type Notice, notice } from '../notice.ts'
import { describeBursted } from './bursted-ranks.ts'
import { describeNoDemand, describeRefused } from './job-warnings.ts'
import { describeDisagreements, describeDrains } from './rank-warnings.ts'
import { describeTraps } from './scheduler-traps.ts'

/** The most queues that are named in one sentence. */
const MAX_QUEUES = 3

/** Longer names of others are cut. */
const MAX_NAME = { characters: 60 }

/** Problems and surprises. */
export function warningsOf(
  snapshot: Snapshot,
  { isIgnored, present }: { readonly isIgnored: boolean; readonly present: number },
): readonly Notice[] {
  const { demand, fluxion } = snapshot
  return [
    ...describeBursted(snapshot),
    ...describeTraps(fluxion, { isStranded: isStranded(snapshot) }),
    ...describeRefused(snapshot),
    ...describeUnhelped(snapshot),
    ...(demand.kind === 'known' ? describeNoDemand(snapshot, demand) : []),
    ...describeDrains(snapshot),
    ...describeRefusal(snapshot),
    ...describeDisagreements(snapshot),
    ...describeNames(snapshot),
    ...(isIgnored ? [describeTolerance(present)] : []),
  ]
}

/** Without its drain no smaller size is published. */
function describeRefusal({ drainRefusal }: Snapshot): readonly Notice[] {
  if (drainRefusal === undefined) return []
  return [
    notice('drain-refused', `ranks cannot be drained, so the size does not fall: ${drainRefusal}`),
  ]
}

/** The sidecar knows no HPA. Whoever does sees by the code that this is about those without a tolerance of their own. */
function describeTolerance(present: number): Notice {
  return notice(
    'hpa-tolerance',
    `an HPA with the default tolerance of 10 % stays at ${present}: set tolerance 0 in its behavior ` +
      '(Kubernetes 1.35 or later), or scale on node_desired_compensated_count',
  )
}

/** Whether nodes below the highest busy one are idle. */
function isStranded({ demand }: Snapshot): boolean {
  return demand.kind === 'known' && demand.floor > countIds(demand.busy)
}

/** What Kubernetes allows as the value of a label, and with it in a label selector. */
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/

/** Queues that no selector can name. */
function describeNames({ jobs }: Snapshot): readonly Notice[] {
  const queues = jobs.kind === 'known' ? [...jobs.queues.keys()] : []
  const odd = queues.filter((name) => !LABEL_VALUE.test(name))
  if (odd.length === 0) return []
  const shown = odd.slice(0, MAX_QUEUES).map((name) => quote(name, MAX_NAME))
  const more = odd.length > shown.length ? [`${odd.length - shown.length} more`] : []
  const [have, names, their] =
    odd.length === 1 ? ['queue', 'has a name', 'its'] : ['queues', 'have names', 'their']
  return [
    notice(
      'queue-not-selectable',
      `${have} ${enumerate([...shown, ...more])} ${names} that no label selector can hold: ${their} jobs count in every total; ` +
        `read one alone with a metric of your own, queues[${shown[0]}]`,
    ),
  ]
}
