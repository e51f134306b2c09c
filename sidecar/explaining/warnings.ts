// The warnings and the unknown values of an explanation, each a sentence with its cure if there is one. Pure.
import {
  countIds,
  EMPTY_IDSET,
  formatIdset,
  type Idset,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { canStart, NO_QUEUE, type WaitingJob } from '#reading/facts.ts'
import { FAILED_SECONDS } from '#reading/jobs/failed-jobs.ts'
import { isUnknown } from '#reading/unknown.ts'
import type { Demand } from '#scaling/demand.ts'
import { isSidecarReason } from '#scaling/drain-reason.ts'
import { refusalsOf } from '#scaling/refusals.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { enumerate, quote } from '#serving/text.ts'
import { describeBursted } from './bursted-ranks.ts'
import { describeUnhelped } from './jobs/unstarted-jobs.ts'
import { describeTraps } from './scheduler-traps.ts'
import { plural, ranksAre } from './wording.ts'

/** The most reasons of drains that get a warning of their own; the JSON has all drains. */
const MAX_DRAINS = 5

/** The most queues that are named in one sentence. */
const MAX_QUEUES = 3

/** Longer reasons of drains are cut, because anyone who drains may write anything. */
const MAX_REASON_LENGTH = 60

/** Problems and surprises. */
export function warningsOf(
  snapshot: Snapshot,
  { isIgnored, present }: { readonly isIgnored: boolean; readonly present: number },
): readonly string[] {
  const { demand, fluxion } = snapshot
  return [
    ...describeBursted(snapshot),
    ...describeTraps(fluxion, { isStranded: isStranded(snapshot) }),
    ...describeRefused(snapshot),
    ...describeUnhelped(snapshot),
    ...(demand.kind === 'known' ? describeNoDemand(snapshot, demand) : []),
    ...describeDrains(snapshot),
    ...describeDisagreements(snapshot),
    ...describeNames(snapshot),
    ...(isIgnored
      ? [
          `${TOLERANCE} stays at ${present}: set tolerance 0 in its behavior ` +
            '(Kubernetes 1.35 or later), or scale on node_desired_compensated_count',
        ]
      : []),
  ]
}

/** Begins the warning that knows no HPA. */
const TOLERANCE = 'an HPA with the default tolerance of 10 %'

/** Whether a warning is only about HPAs that have no tolerance of their own. */
export function isAboutTolerance(warning: string): boolean {
  return warning.startsWith(TOLERANCE)
}

/** Whether nodes below the highest busy one are idle. */
function isStranded({ demand }: Snapshot): boolean {
  return demand.kind === 'known' && demand.floor > countIds(demand.busy)
}

function describeRefused(snapshot: Snapshot): readonly string[] {
  const refusals = refusalsOf(snapshot)
  if (isUnknown(refusals)) return []
  const { forNodes, forGood, unclear, reason } = refusals
  const when = `refused in the last ${FAILED_SECONDS / 60} min`
  return [
    ...jobsThat(forNodes.length, {
      one: `was ${when} because it asked for more nodes than were up: submit it again`,
      many: `were ${when} because they asked for more nodes than were up: submit them again`,
    }),
    ...jobsThat(forGood.length, {
      one: `was ${when} because R does not have what it asked for: no size helps; ask for what R has`,
      many: `were ${when} because R does not have what they asked for: no size helps; ask for what R has`,
    }),
    ...jobsThat(unclear.length, {
      one: `was ${when}, and it is not known whether more nodes would help: ${reason?.reason}`,
      many: `were ${when}, and it is not known whether more nodes would help: ${reason?.reason}`,
    }),
  ]
}

/** Pending jobs that add no demand. */
function describeNoDemand(
  { jobs, waiting, queues }: Snapshot,
  { whole: { held, infeasible } }: Demand,
): readonly string[] {
  const stopped = [...queues].flatMap(([name, { started }]) => {
    const isIn = (job: { readonly queue: string | undefined }) => (job.queue ?? NO_QUEUE) === name
    const count = started || waiting.kind !== 'known' ? 0 : waiting.jobs.filter(isIn).length
    return count === 0 ? [] : [describeStopped(name, count)]
  })
  const early = jobs.kind === 'known' ? jobs.total.depend + jobs.total.priority : 0
  return [
    ...jobsThat(held, {
      one: 'is held (priority 0): it adds no demand; release it with flux job urgency',
      many: 'are held (priority 0): they add no demand; release them with flux job urgency',
    }),
    ...jobsThat(infeasible, {
      one: 'asks for more than its queue has in R: it can never start; cancel it',
      many: 'ask for more than their queue has in R: they can never start; cancel them',
    }),
    ...stopped,
    ...jobsThat(early, {
      one: 'waits for a dependency or a priority: it adds no demand yet',
      many: 'wait for a dependency or a priority: they add no demand yet',
    }),
  ]
}

function describeStopped(name: string, count: number): string {
  const queue =
    name === NO_QUEUE ? 'the queue' : `queue ${quote(name, { characters: MAX_REASON_LENGTH })}`
  const add = count === 1 ? 'adds' : 'add'
  return `${queue} is stopped: ${plural(count, 'job')} in it ${add} no demand until flux queue start`
}

/** A sentence about some jobs; none about no job. */
function jobsThat(
  count: number,
  { one, many }: { readonly one: string; readonly many: string },
): readonly string[] {
  return count === 0 ? [] : [`${plural(count, 'job')} ${count === 1 ? one : many}`]
}

/** Drains by others, and drains that a sidecar left behind because DRAIN was switched off. */
function describeDrains({ drains, ranks: { ownDrained } }: Snapshot): readonly string[] {
  const foreign = new Map<string, Idset>()
  let abandoned = EMPTY_IDSET
  for (const { ranks, reason } of drains) {
    const others = subtractIdsets(ranks, ownDrained)
    if (isEmpty(others)) continue
    if (isSidecarReason(reason)) abandoned = unionIdsets(abandoned, others)
    else foreign.set(reason, unionIdsets(foreign.get(reason) ?? EMPTY_IDSET, others))
  }
  const more = foreign.size - MAX_DRAINS
  const cure = `run flux resource undrain ${formatIdset(abandoned)}`
  return [
    ...[...foreign].slice(0, MAX_DRAINS).map(describeDrain),
    ...(more > 0 ? [`${plural(more, 'more drain')} by others: flux resource drain lists all`] : []),
    ...(isEmpty(abandoned)
      ? []
      : [`${ranksAre(abandoned)} still drained from when DRAIN was on: ${cure}`]),
  ]
}

/** Reasons that Flux itself writes, and what to do: before 0.65 of a broker that hangs, and of a node smaller than R says. */
const FLUX_REASONS: readonly (readonly [reason: RegExp, advice: string])[] = [
  [
    /^broker was unresponsive$/,
    'by Flux, because its broker did not answer: no job starts there until flux resource undrain, also if a new pod joins',
  ],
  [
    /\bmissing resources: /,
    'by Flux, because its pod has fewer cores or GPUs than R says: no job starts there until flux resource undrain; ' +
      'let the pods of all ranks land on nodes of the same size',
  ],
]

function describeDrain([reason, ranks]: readonly [reason: string, ranks: Idset]): string {
  const [, byFlux] = FLUX_REASONS.find(([known]) => known.test(reason)) ?? []
  if (byFlux !== undefined) return `${ranksAre(ranks)} drained ${byFlux}`
  const why = reason === '' ? 'no reason given' : quote(reason, { characters: MAX_REASON_LENGTH })
  return `${ranksAre(ranks)} drained, not by the sidecar (${why}): no job starts there until flux resource undrain`
}

/** Ranks on which the scheduler and the resource module disagree. */
function describeDisagreements({ closed, untracked }: Snapshot): readonly string[] {
  return [
    ...(closed === undefined
      ? []
      : [
          `${ranksAre(closed)} down for the scheduler alone (excluded while it ran, or marked down in it): no job starts ` +
            'there until the scheduler is reloaded or marks them up',
        ]),
    ...(untracked === undefined
      ? []
      : [
          `${ranksAre(untracked)} offline, but up for the scheduler, which lost track: a job that it starts there fails; ` +
            'reload the scheduler (flux module reload)',
        ]),
  ]
}

/** What Kubernetes allows as the value of a label, and with it in a label selector. */
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/

/** Queues that no selector can name. */
function describeNames({ jobs }: Snapshot): readonly string[] {
  const queues = jobs.kind === 'known' ? [...jobs.queues.keys()] : []
  const odd = queues.filter((name) => !LABEL_VALUE.test(name))
  if (odd.length === 0) return []
  const shown = odd
    .slice(0, MAX_QUEUES)
    .map((name) => quote(name, { characters: MAX_REASON_LENGTH }))
  const more = odd.length > shown.length ? [`${odd.length - shown.length} more`] : []
  const [have, names, their] =
    odd.length === 1 ? ['queue', 'has a name', 'its'] : ['queues', 'have names', 'their']
  return [
    `${have} ${enumerate([...shown, ...more])} ${names} that no label selector can hold: ${their} jobs count in every total; ` +
      `read one alone with a metric of your own, queues[${shown[0]}]`,
  ]
}

const GUEST =
  'Flux does not show this to guests: run the sidecar with the UID of the broker (annotation flux-metrics/run-as-user); a job that ' +
  'fits on free nodes and is not started gets more of them'

/** Values that are unknown, one sentence for each cause. */
export function unknownsOf(snapshot: Snapshot): readonly string[] {
  const { demand, jobs, failed, sizes, waiting, fluxion } = snapshot
  const known = demand.kind === 'known' ? demand : undefined
  const hidden = jobs.kind === 'unknown' ? jobs.reason : undefined
  const isUnread = (job: WaitingJob) => job.request === undefined && canStart(job)
  const guest = known !== undefined && !isUnknown(waiting) && waiting.jobs.some(isUnread)
  const isPolicyUnknown = fluxion !== undefined && fluxion.matchPolicy === undefined
  const unknowns: readonly (readonly [value: string, reason: string | undefined])[] = [
    ['the size', sizes.wanted.kind === 'unknown' ? sizes.wanted.reason : undefined],
    ['the demand', demand.kind === 'unknown' ? demand.reason : known?.unknownPlaces?.reason],
    ['the nodes that some pending jobs need', known?.unknownNeeds?.reason],
    ['the job counts', hidden],
    [
      'the GPUs of pending jobs',
      known?.whole.pendingGpus === undefined ? known?.unknownRequests?.reason : undefined,
    ],
    [
      'the jobs that are not listed',
      known?.isListCut ? 'more jobs wait than the sidecar lists' : undefined,
    ],
    [
      'the ranks of some pending jobs',
      known?.isPartial ? 'the pending jobs are too many and too different to place all' : undefined,
    ],
    ['the constraints of pending jobs', guest ? GUEST : undefined],
    ['whether each job gets whole nodes', guest && isPolicyUnknown ? GUEST : undefined],
    ['the refused jobs', isUnknown(failed) ? failed.reason : undefined],
  ]
  const byReason = new Map<string, string[]>()
  for (const [value, reason] of unknowns) {
    if (reason !== undefined) byReason.set(reason, [...(byReason.get(reason) ?? []), value])
  }
  return [...byReason].map(([reason, values]) => `${enumerate(values)}: ${reason}`)
}
