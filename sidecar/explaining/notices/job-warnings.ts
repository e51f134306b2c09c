// Warnings about jobs that the scheduler refused, and about pending jobs that add no demand. Pure.
import { FAILED_SECONDS } from '#reading/jobs/failed-jobs.ts'
import { isUnknown } from '#reading/unknown.ts'
import type { Demand } from '#scaling/demand.ts'
import { refusalsOf } from '#scaling/refusals.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { type Notice, type NoticeCode, notice } from '../notice.ts'
import { plural } from '../wording.ts'
import { describeStops } from './stopped-queues.ts'

/** Jobs that the scheduler refused lately. */
export function describeRefused(snapshot: Snapshot): readonly Notice[] {
  const refusals = refusalsOf(snapshot)
  if (isUnknown(refusals)) return []
  const { forNodes, forGood, unclear, reason } = refusals
  const when = `refused in the last ${FAILED_SECONDS / 60} min`
  return [
    ...jobsThat('jobs-refused', forNodes.length, {
      one: `was ${when} because it asked for more nodes than were up: submit it again`,
      many: `were ${when} because they asked for more nodes than were up: submit them again`,
    }),
    ...jobsThat('jobs-refused-for-good', forGood.length, {
      one: `was ${when} because R does not have what it asked for: no size helps; ask for what R has`,
      many: `were ${when} because R does not have what they asked for: no size helps; ask for what R has`,
    }),
    ...jobsThat('jobs-refused-unclear', unclear.length, {
      one: `was ${when}, and it is not known whether more nodes would help: ${reason?.reason}`,
      many: `were ${when}, and it is not known whether more nodes would help: ${reason?.reason}`,
    }),
  ]
}

/** Pending jobs that add no demand. */
export function describeNoDemand(
  { jobs, waiting, queues }: Snapshot,
  { whole: { held, infeasible } }: Demand,
): readonly Notice[] {
  const stopped = isUnknown(waiting) ? [] : describeStops(queues, waiting, jobs)
  const early = jobs.kind === 'known' ? jobs.total.depend + jobs.total.priority : 0
  return [
    ...jobsThat('jobs-held', held, {
      one: 'is held (priority 0): it adds no demand; release it with flux job urgency',
      many: 'are held (priority 0): they add no demand; release them with flux job urgency',
    }),
    ...jobsThat('jobs-infeasible', infeasible, {
      one: 'asks for more than its queue has in R: it can never start; cancel it',
      many: 'ask for more than their queue has in R: they can never start; cancel them',
    }),
    ...stopped,
    ...jobsThat('jobs-early', early, {
      one: 'waits for a dependency or a priority: it adds no demand yet',
      many: 'wait for a dependency or a priority: they add no demand yet',
    }),
  ]
}

/** A sentence about some jobs; none about no job. */
function jobsThat(
  code: NoticeCode,
  count: number,
  { one, many }: { readonly one: string; readonly many: string },
): readonly Notice[] {
  if (count === 0) return []
  return [notice(code, `${plural(count, 'job')} ${count === 1 ? one : many}`)]
}
