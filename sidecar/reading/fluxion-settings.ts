// Finds the settings of Fluxion from what Fluxion itself answers and from the broker's configuration. Their effect on jobs
// is in flux/calls/fluxion.ts.
import type { Limits } from '#flux/calls/broker-calls.ts'
import type { FluxionSettings } from '#flux/calls/fluxion.ts'
import {
  type FluxionMatching,
  getFluxionMatching,
  getFluxionPolicy,
} from '#flux/calls/scheduler-calls.ts'
import type { Client } from '#flux/wire/client.ts'
import { isJsonObject, type JsonObject } from '#flux/wire/payload.ts'

/** What Fluxion answered about its own settings. */
export interface FluxionParameters {
  /** The queue policy; `undefined` if the scheduler is not Fluxion. */
  readonly policy: string | undefined
  /** `undefined` if Fluxion does not show it to us. */
  readonly matching: FluxionMatching | undefined
}

export async function readFluxionParameters(
  client: Client,
  limits: Limits,
): Promise<FluxionParameters> {
  const policy = await getFluxionPolicy(client, limits)
  const matching = policy === undefined ? undefined : await getFluxionMatching(client, limits)
  return { policy, matching }
}

/**
 * The settings that are in force, as far as Fluxion shows them, else those of the configuration. A setting that is
 * `undefined` has Fluxion's default; all of them are `undefined` if the scheduler is not Fluxion.
 *
 * @param config the broker's configuration
 */
export function toFluxionSettings(
  { policy, matching }: FluxionParameters,
  config: JsonObject,
): FluxionSettings | undefined {
  if (policy === undefined) return undefined
  const table = config['sched-fluxion-resource']
  const setting = (name: string) => {
    const value = isJsonObject(table) ? table[name] : undefined
    return typeof value === 'string' ? value : undefined
  }
  return {
    queuePolicy: policy,
    matchPolicy: matching?.policy ?? setting('match-policy'),
    pruneFilters: matching?.pruneFilters ?? setting('prune-filters'),
  }
}
