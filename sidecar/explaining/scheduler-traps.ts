// Settings of the scheduler that defeat autoscaling, as far as a guest can tell, and what cures them. Pure.
import { type FluxionSettings, fillsLowFirst, refusesWideJobs } from '#flux/calls/fluxion.ts'
import type { FailedJob } from '#flux/calls/job-list-calls.ts'
import type { FluxionMatching } from '#flux/calls/scheduler-calls.ts'
import { isJsonObject, type JsonObject } from '#flux/wire/payload.ts'

/**
 * Reads what the broker's configuration says of Fluxion; `undefined` where nothing is known to differ from the default.
 *
 * @param matching what is in force, where Fluxion tells it: that counts
 */
export function readFluxionSettings(
  queuePolicy: string,
  config: JsonObject,
  matching?: FluxionMatching,
): FluxionSettings {
  const table = config['sched-fluxion-resource']
  const setting = (name: string) => {
    const value = isJsonObject(table) ? table[name] : undefined
    return typeof value === 'string' ? value : undefined
  }
  return {
    queuePolicy,
    matchPolicy: matching?.policy ?? setting('match-policy'),
    pruneFilters: matching?.pruneFilters ?? setting('prune-filters'),
  }
}

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

/** Whether Fluxion refused a job. Its words are the same for one that is wider than R, which no size would cure. */
export function isRefused({ exceptionType, exceptionNote }: FailedJob): boolean {
  return exceptionType === 'alloc' && /unsatisfiable/.test(exceptionNote ?? '')
}

/** Why it is not known which jobs were refused, where Flux tells us of jobs at all. */
export const TOO_MANY_FAILED = 'too many jobs failed lately to list them'
