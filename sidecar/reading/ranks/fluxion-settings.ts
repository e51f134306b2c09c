// Finds the settings of Fluxion from what Fluxion itself answers and from the broker's configuration. Their effect on jobs
// is in flux/calls/fluxion.ts.
import type { Limits } from '#flux/calls/broker-calls.ts'
import type { FluxionSettings } from '#flux/calls/fluxion.ts'
import {
  type FluxionMatching,
  getFluxionMatching,
  getFluxionPolicy,
} from '#flux/calls/scheduler-calls.ts'
import { FluxError } from '#flux/errors.ts'
import type { Client } from '#flux/wire/client.ts'
import { isJsonObject, type JsonObject } from '#flux/wire/payload.ts'

/** What Fluxion answered about its own settings. */
export interface FluxionParameters {
  /** The queue policy; `undefined` if the scheduler is not Fluxion. */
  readonly policy: string | undefined
  /** `undefined` if Fluxion does not show it to us. */
  readonly matching: FluxionMatching | undefined
}

/** The scheduler may be reloaded with other settings, or be another one: it is asked again after this time. */
const LIFE_MS = 60_000

/** While a module is being reloaded, Flux answers as if there was none: the first such answer is doubted. */
const DOUBTED_LIFE_MS = 10_000

export class FluxionReader {
  readonly #client: Client
  #last: Settings | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /** @param config the broker's configuration */
  async read(config: JsonObject, limits: Limits): Promise<FluxionSettings | undefined> {
    const now = performance.now()
    if (this.#last === undefined || now >= this.#last.until) {
      const parameters = await readFluxionParameters(this.#client, limits)
      this.#last = settingsAfter(this.#last, parameters, now)
    }
    return toFluxionSettings(this.#last.parameters, config)
  }
}

/** What is known, and until when it counts. */
interface Settings {
  readonly parameters: FluxionParameters
  readonly until: number
  readonly isDoubted: boolean
}

/** What is known after an answer. While it is doubted, what was known before counts. */
function settingsAfter(
  before: Settings | undefined,
  parameters: FluxionParameters,
  now: number,
): Settings {
  const isAbsent = parameters.policy === undefined
  const wasAbsent = before !== undefined && before.parameters.policy === undefined
  if (isAbsent && !wasAbsent && !before?.isDoubted) {
    const known = before?.parameters ?? parameters
    return { parameters: known, until: now + DOUBTED_LIFE_MS, isDoubted: true }
  }
  return { parameters, until: now + LIFE_MS, isDoubted: false }
}

/** Settings of an unexpected form count as not shown. */
async function readFluxionParameters(client: Client, limits: Limits): Promise<FluxionParameters> {
  const policy = await orElse(getFluxionPolicy(client, limits), 'unknown')
  if (policy === undefined) return { policy, matching: undefined }
  return { policy, matching: await orElse(getFluxionMatching(client, limits), undefined) }
}

async function orElse<T>(answer: Promise<T>, odd: T): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof FluxError && error.code === 'FLUX_PROTOCOL') return odd
    throw error
  }
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
