// Warnings about drained ranks, and about ranks on which the scheduler and the resource module disagree. Pure.
import {
  EMPTY_IDSET,
  formatIdset,
  type Idset,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { isSidecarReason } from '#scaling/drain-reason.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { quote } from '#serving/text.ts'
import { type Notice, notice } from '../notice.ts'
import { plural, ranksAre } from '../wording.ts'

/** The most reasons of drains that get a warning of their own; the JSON has all drains. */
const MAX_DRAINS = 5

/** Longer reasons of drains are cut, because anyone who drains may write anything. */
const MAX_REASON = { characters: 60 }

/** Drains by others, and drains that a sidecar left behind because DRAIN was switched off. */
export function describeDrains({ drains, ranks: { ownDrained } }: Snapshot): readonly Notice[] {
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
    ...(more > 0
      ? [
          notice(
            'ranks-drained-by-others',
            `${plural(more, 'more drain')} by others: flux resource drain lists all`,
          ),
        ]
      : []),
    ...(isEmpty(abandoned)
      ? []
      : [
          notice(
            'ranks-left-drained',
            `${ranksAre(abandoned)} still drained from when DRAIN was on: ${cure}`,
          ),
        ]),
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

function describeDrain([reason, ranks]: readonly [reason: string, ranks: Idset]): Notice {
  const [, byFlux] = FLUX_REASONS.find(([known]) => known.test(reason)) ?? []
  if (byFlux !== undefined) {
    return notice('ranks-drained-by-flux', `${ranksAre(ranks)} drained ${byFlux}`)
  }
  const why = reason === '' ? 'no reason given' : quote(reason, MAX_REASON)
  return notice(
    'ranks-drained-by-others',
    `${ranksAre(ranks)} drained, not by the sidecar (${why}): no job starts there until flux resource undrain`,
  )
}

/** Ranks on which the scheduler and the resource module disagree. */
export function describeDisagreements({ closed, untracked }: Snapshot): readonly Notice[] {
  return [
    ...(closed === undefined
      ? []
      : [
          notice(
            'ranks-down-for-scheduler',
            `${ranksAre(closed)} down for the scheduler alone (excluded while it ran, or marked down in it): no job starts ` +
              'there until the scheduler is reloaded or marks them up',
          ),
        ]),
    ...(untracked === undefined
      ? []
      : [
          notice(
            'ranks-up-for-scheduler',
            `${ranksAre(untracked)} offline, but up for the scheduler, which lost track: a job that it starts there fails; ` +
              'reload the scheduler (flux module reload)',
          ),
        ]),
  ]
}
