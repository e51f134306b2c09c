// What an explanation warns of, and what it cannot tell: a sentence each, with the cure where there is one. Pure.
import {
  countIds,
  EMPTY_IDSET,
  formatIdset,
  type Idset,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { FAILED_SECONDS, isRefused } from '#reading/failed-jobs.ts'
import { isUnknown } from '#reading/unknown.ts'
import type { Demand } from '#scaling/demand.ts'
import { isSidecarReason } from '#scaling/drain-reason.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { quote } from '#serving/text.ts'
import { describeTraps } from './scheduler-traps.ts'
import { plural, ranksAre } from './wording.ts'

/** Drains are told by their reason, and people give many; the JSON has them all. */
const MAX_DRAINS = 5

/** Reasons of drains are other people's texts. */
const MAX_REASON_LENGTH = 60

/** What is wrong or will surprise. */
export function warningsOf(
  snapshot: Snapshot,
  { isIgnored, present }: { readonly isIgnored: boolean; readonly present: number },
): readonly string[] {
  const { demand, fluxion } = snapshot
  return [
    ...describeTraps(fluxion, { isStranded: isStranded(snapshot) }),
    ...describeRefused(snapshot),
    ...(demand.kind === 'known' ? describeNoDemand(snapshot, demand) : []),
    ...describeDrains(snapshot),
    ...(isIgnored
      ? [
          `an HPA with the default tolerance of 10 % holds ${present}: set tolerance 0 in its behavior ` +
            '(Kubernetes 1.35), or scale on node_desired_compensated_count',
        ]
      : []),
  ]
}

/** Whether nodes below the highest busy one are idle. */
function isStranded({ demand }: Snapshot): boolean {
  return demand.kind === 'known' && demand.floor > countIds(demand.busy)
}

function describeRefused({ failed }: Snapshot): readonly string[] {
  const count = isUnknown(failed) ? 0 : failed.filter(isRefused).length
  if (count === 0) return []
  return [
    `${plural(count, 'job')} refused within ${FAILED_SECONDS / 60} min, asking for more nodes than were up: ` +
      'no demand any more, submit again',
  ]
}

/** Jobs that wait, and for which no node is started. */
function describeNoDemand(
  { jobs, waiting, queues }: Snapshot,
  { whole }: Demand,
): readonly string[] {
  const stopped = [...queues].flatMap(([name, { started }]) => {
    const isIn = (job: { readonly queue: string | undefined }) => (job.queue ?? '') === name
    const count = started || waiting.kind !== 'known' ? 0 : waiting.jobs.filter(isIn).length
    return count === 0 ? [] : [{ name, count }]
  })
  const early = jobs.kind === 'known' ? jobs.total.depend + jobs.total.priority : 0
  return [
    ...(whole.held > 0
      ? [`${plural(whole.held, 'pending job')} held (priority 0): no demand`]
      : []),
    ...(whole.infeasible > 0
      ? [`${plural(whole.infeasible, 'pending job')} asking for more than R has: never started`]
      : []),
    ...stopped.map(
      ({ name, count }) =>
        `${plural(count, 'pending job')} in ${name === '' ? 'the queue' : `queue "${name}"`}, which is stopped: ` +
        'no demand until flux queue start',
    ),
    ...(early > 0
      ? [`${plural(early, 'job')} not yet for the scheduler (dependency or priority): no demand`]
      : []),
  ]
}

/** Drains that are not ours are counted around. Ours that nobody lifts are told of: DRAIN was switched off. */
function describeDrains({ drains, ranks: { ownDrained } }: Snapshot): readonly string[] {
  const foreign = new Map<string, Idset>()
  let left = EMPTY_IDSET
  for (const { ranks, reason } of drains) {
    const others = subtractIdsets(ranks, ownDrained)
    if (isEmpty(others)) continue
    if (isSidecarReason(reason)) left = unionIdsets(left, others)
    else foreign.set(reason, unionIdsets(foreign.get(reason) ?? EMPTY_IDSET, others))
  }
  const more = foreign.size - MAX_DRAINS
  const cure = `flux resource undrain ${formatIdset(left)}`
  return [
    ...[...foreign].slice(0, MAX_DRAINS).map(describeDrain),
    ...(more > 0 ? [`${plural(more, 'more drain')} by an administrator`] : []),
    ...(isEmpty(left) ? [] : [`${ranksAre(left)} still drained from when DRAIN was on: ${cure}`]),
  ]
}

function describeDrain([reason, ranks]: readonly [reason: string, ranks: Idset]): string {
  const why = reason === '' ? 'no reason given' : quote(reason, { characters: MAX_REASON_LENGTH })
  return `${ranksAre(ranks)} drained by an administrator (${why}): counted around, never touched`
}

/** What cannot be told, and why: what has one cause is told together. */
export function unknownsOf({ demand, jobs, failed, sizes }: Snapshot): readonly string[] {
  const known = demand.kind === 'known' ? demand : undefined
  const hidden = jobs.kind === 'unknown' ? jobs.reason : undefined
  const unknowns: readonly (readonly [what: string, why: string | undefined])[] = [
    ['the size', sizes.wanted.kind === 'unknown' ? sizes.wanted.reason : undefined],
    ['demand', demand.kind === 'unknown' ? demand.reason : known?.unknownPlaces?.reason],
    ['job counts', hidden],
    [
      'GPUs of pending jobs',
      known?.whole.pendingGpus === undefined ? known?.unknownRequests?.reason : undefined,
    ],
    ['all that waits', known?.isCut ? 'more jobs wait than we list' : undefined],
    ['refused jobs', isUnknown(failed) ? failed.reason : undefined],
  ]
  const byReason = new Map<string, string[]>()
  for (const [what, why] of unknowns) {
    if (why !== undefined) byReason.set(why, [...(byReason.get(why) ?? []), what])
  }
  return [...byReason].map(([why, what]) => `${what.join(', ')}: ${why}`)
}
