// Settings of the scheduler that defeat autoscaling, as far as a guest can tell, and what cures them. Pure.
import { type FluxionSettings, fillsLowFirst, refusesWideJobs } from '#flux/calls/fluxion.ts'

/**
 * Sentences on what stands in the way of autoscaling, each with its cure.
 *
 * @param isStranded whether nodes below the highest busy one are idle. Where no match policy is configured, options of the
 *   module may set one, which guests are not told: that it is the default is said only if it shows
 */
export function describeTraps(
  settings: FluxionSettings | undefined,
  { isStranded }: { readonly isStranded: boolean } = { isStranded: true },
): readonly string[] {
  if (settings === undefined) return []
  const { matchPolicy } = settings
  const isHarmless = matchPolicy === undefined && !isStranded
  return [
    ...(refusesWideJobs(settings)
      ? [
          'Fluxion (0.43 and later) with queue-policy "fcfs" refuses a job that asks for more nodes than are up, so that ' +
            'nobody sees its demand: set [sched-fluxion-resource] prune-filters = "ALL:core", or queue-policy "conservative"',
        ]
      : []),
    ...(fillsLowFirst(settings) || isHarmless
      ? []
      : [
          `Fluxion with match-policy ${matchPolicy === undefined ? '"first", its default,' : `"${matchPolicy}"`} does not ` +
            'fill the lowest nodes first, and shrinking takes away the highest: ' +
            'set [sched-fluxion-resource] match-policy = "lonode"',
        ]),
  ]
}
