// The reasons for the published size, the most important first. Pure.
import { countIds, highestId, idsBetween, isEmpty } from '#flux/sets/idset.ts'
import type { Demand } from '#scaling/demand.ts'
import { sizeWith } from '#scaling/ranks.ts'
import { publishedSize, wantedSizes } from '#scaling/sizes.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { describeFloor } from '../floor-holder.ts'
import { describeTried } from '../jobs/unstarted-jobs.ts'
import { type Notice, notice } from '../notice.ts'
import { plural, ranksAre } from '../wording.ts'

/** At least one. @param now the time from which remaining times are counted */
export function reasonsOf(snapshot: Snapshot, now: Date): readonly Notice[] {
  const { demand, sizes } = snapshot
  const desired = publishedSize(sizes)
  if (demand.kind !== 'known' || typeof desired !== 'number') {
    return [notice('no-size', whyUnknown(snapshot))]
  }
  const reasons = reasonsFor(snapshot, { demand, desired, now })
  return reasons.length > 0 ? reasons : [notice('idle', 'nothing runs, and no job waits for nodes')]
}

function whyUnknown({ demand, sizes }: Snapshot): string {
  if (sizes.wanted.kind === 'unknown') return sizes.wanted.reason
  return demand.kind === 'unknown' ? demand.reason : 'nothing is known yet'
}

interface Known {
  readonly demand: Demand
  readonly desired: number
  readonly now: Date
}

function reasonsFor(snapshot: Snapshot, { demand, desired, now }: Known): readonly Notice[] {
  const { sizes, lost } = snapshot
  const { whole, floor, quorum, maximum, isCut } = demand
  const wanted = sizes.wanted.kind === 'known' ? sizes.wanted.whole : desired
  const placed = isCut ? maximum : sizeWith(whole.placed)
  const { whole: least } = wantedSizes(demand, (_, size) => size, snapshot.unstarted)
  const jobs =
    isEmpty(whole.allocated) && floor === 1
      ? []
      : [notice('rank-busy', describeFloor(snapshot, demand, now))]
  const waits = describePending(demand)
  return [
    ...(desired > wanted
      ? [
          notice(
            'shrink-after-drain',
            `${ranksAre(idsBetween(wanted, desired))} being drained before the size falls to ${wanted}`,
          ),
        ]
      : []),
    ...(wanted > least
      ? [
          notice(
            'shrink-after-grace',
            `${plural(wanted, 'node')} ${wanted === 1 ? 'was' : 'were'} needed a moment ago`,
          ),
        ]
      : []),
    ...describeTried(snapshot),
    ...(placed > floor ? [...waits, ...jobs] : [...jobs, ...waits]),
    ...(quorum > Math.max(floor, placed)
      ? [notice('quorum', `Flux needs ${quorum} nodes to start (quorum)`)]
      : []),
    ...(placed === maximum && !isCut
      ? [notice('maximum-reached', `R has no more than ${plural(maximum, 'node')}`)]
      : []),
    ...(isEmpty(lost)
      ? []
      : [notice('ranks-given-up', `${ranksAre(lost)} given up after a long time offline`)]),
  ]
}

/** How many nodes jobs need follows from where they are placed: a thousand jobs of one core may share one. */
function describePending({ whole, isCut, isPartial, unknownNeeds }: Demand): readonly Notice[] {
  const cut = (text: string) => [notice('jobs-pending-cut', text)]
  if (isPartial)
    return cut('the pending jobs are too different to place all: they may need every node of R')
  if (isCut) return cut('more jobs wait than the sidecar lists: they may need every node of R')
  const { waits, placed } = whole
  if (waits.length === 0) return []
  const jobs = plural(waits.length, 'pending job')
  const verb = (word: string) => (waits.length === 1 ? `${word}s` : word)
  const highest = highestId(placed)
  if (highest === undefined) {
    const which = 'drained, do not answer or are not used by the scheduler'
    const text = `${jobs} ${verb('need')} ranks that are ${which}: more nodes do not help`
    return [notice('jobs-pending-unhelped', text)]
  }
  const nodes =
    unknownNeeds === undefined
      ? plural(countIds(placed), 'node')
      : 'nodes of a number that is not known'
  return [notice('jobs-pending', `${jobs} ${verb('need')} ${nodes}, up to rank ${highest}`)]
}
