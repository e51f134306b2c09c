// Settings of Fluxion, out of the broker's configuration and of what Fluxion itself tells.
import type { FluxionSettings } from '#flux/calls/fluxion.ts'
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
