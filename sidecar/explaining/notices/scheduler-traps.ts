// Settings of the scheduler that defeat autoscaling, each with its cure. Pure. Only settings that a guest can read are judged.
import { type FluxionSettings, fillsLowFirst, refusesWideJobs } from '#flux/calls/fluxion.ts'
import { type Notice, notice } from '../notice.ts'

/**
 * One warning for each setting that defeats autoscaling, with its cure.
 *
 * @param isStranded whether nodes below the highest busy one are idle. If no match policy is configured, options of the
 *   module may set one, which a guest cannot read: then the default policy is reported only if idle nodes show it
 */
export function describeTraps(
  settings: FluxionSettings | undefined,
  { isStranded }: { readonly isStranded: boolean },
): readonly Notice[] {
  if (settings === undefined) return []
  const { matchPolicy } = settings
  const isHarmless = matchPolicy === undefined && !isStranded
  return [
    ...(refusesWideJobs(settings)
      ? [
          notice(
            'scheduler-refuses-jobs',
            'Fluxion (0.43 and later) with queue-policy "fcfs" refuses a job that asks for more nodes than are up, so the ' +
              'MiniCluster does not grow for it: set [sched-fluxion-resource] prune-filters = "ALL:core", or queue-policy "conservative"',
          ),
        ]
      : []),
    ...(fillsLowFirst(settings) || isHarmless
      ? []
      : [
          notice(
            'scheduler-fills-high',
            `Fluxion with match-policy ${matchPolicy === undefined ? '"first", its default,' : `"${matchPolicy}"`} does not ` +
              'fill the lowest nodes first, but shrinking removes the highest nodes: ' +
              'set [sched-fluxion-resource] match-policy = "lonode"',
          ),
        ]),
  ]
}
