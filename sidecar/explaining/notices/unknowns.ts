// The values of an explanation that are not known, one sentence for each cause. Pure.
import { canStart, type WaitingJob } from '#reading/facts.ts'
import { isUnknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { enumerate } from '#serving/text.ts'
import { type Notice, type NoticeCode, notice } from '../notice.ts'

const GUEST =
  'Flux does not show this to guests: run the sidecar with the UID of the broker (annotation flux-metrics/run-as-user); a job that ' +
  'fits on free nodes and is not started gets more of them'

/** A value that may be unknown. */
interface Value {
  readonly code: NoticeCode
  /** Its name in a sentence. */
  readonly name: string
  /** Why it is not known; `undefined` if it is. */
  readonly reason: string | undefined
}

/** One sentence for each cause. The code is that of the first value that the sentence names: the others follow from less. */
export function unknownsOf(snapshot: Snapshot): readonly Notice[] {
  const byReason = new Map<string, Value[]>()
  for (const value of valuesOf(snapshot)) {
    const { reason } = value
    if (reason !== undefined) byReason.set(reason, [...(byReason.get(reason) ?? []), value])
  }
  return [...byReason].flatMap(([reason, [first, ...others]]) => {
    if (first === undefined) return []
    const names = [first, ...others].map(({ name }) => name)
    return [notice(first.code, `${enumerate(names)}: ${reason}`)]
  })
}

/** The most important first. */
function valuesOf(snapshot: Snapshot): readonly Value[] {
  const { demand, jobs, failed, sizes, waiting, fluxion } = snapshot
  const known = demand.kind === 'known' ? demand : undefined
  const isUnread = (job: WaitingJob) => job.request === undefined && canStart(job)
  const guest = known !== undefined && !isUnknown(waiting) && waiting.jobs.some(isUnread)
  const isPolicyUnknown = fluxion !== undefined && fluxion.matchPolicy === undefined
  return [
    {
      code: 'size-unknown',
      name: 'the size',
      reason: sizes.wanted.kind === 'unknown' ? sizes.wanted.reason : undefined,
    },
    {
      code: 'demand-unknown',
      name: 'the demand',
      reason: demand.kind === 'unknown' ? demand.reason : known?.unknownPlaces?.reason,
    },
    {
      code: 'needs-unknown',
      name: 'the nodes that some pending jobs need',
      reason: known?.unknownNeeds?.reason,
    },
    {
      code: 'job-counts-unknown',
      name: 'the job counts',
      reason: jobs.kind === 'unknown' ? jobs.reason : undefined,
    },
    {
      code: 'gpus-unknown',
      name: 'the GPUs of pending jobs',
      reason: known?.whole.pendingGpus === undefined ? known?.unknownRequests?.reason : undefined,
    },
    {
      code: 'jobs-unlisted',
      name: 'the jobs that are not listed',
      reason: known?.isListCut ? 'more jobs wait than the sidecar lists' : undefined,
    },
    {
      code: 'jobs-unplaced',
      name: 'the ranks of some pending jobs',
      reason: known?.isPartial
        ? 'the pending jobs are too many and too different to place all'
        : undefined,
    },
    {
      code: 'constraints-unknown',
      name: 'the constraints of pending jobs',
      reason: guest ? GUEST : undefined,
    },
    {
      code: 'whole-nodes-unknown',
      name: 'whether each job gets whole nodes',
      reason: guest && isPolicyUnknown ? GUEST : undefined,
    },
    {
      code: 'refused-jobs-unknown',
      name: 'the refused jobs',
      reason: isUnknown(failed) ? failed.reason : undefined,
    },
  ]
}
