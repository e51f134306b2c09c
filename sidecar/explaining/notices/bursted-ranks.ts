// Says which ranks are not pods of the MiniCluster, and when hosts do not show it. Pure.
import { isEmpty } from '#flux/sets/idset.ts'
import { isUnknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { shorten } from '#serving/text.ts'
import { type Notice, notice } from '../notice.ts'
import { ranksAre } from '../wording.ts'

/** Host names may have 255 characters. */
const MAX_HOST = { characters: 60 }

/** At most one warning. */
export function describeBursted({
  pods,
  ranks: { bursted },
}: Pick<Snapshot, 'pods'> & {
  readonly ranks: Pick<Snapshot['ranks'], 'bursted'>
}): readonly Notice[] {
  if (isUnknown(pods)) return []
  const { burstedHosts, unchecked } = pods
  if (unchecked !== undefined) {
    return [
      notice('hosts-unchecked', `${shorten(unchecked)}: rank i is taken for the pod of index i`),
    ]
  }
  if (isEmpty(bursted)) return []
  const hosts = burstedHosts.map((host) => shorten(host, MAX_HOST)).join(' to ')
  return [
    notice(
      'ranks-bursted',
      `${ranksAre(bursted)} of another cluster (bursting, ${hosts}): not counted in sizes and nodes, never drained, ` +
        'and jobs there keep no pod',
    ),
  ]
}
