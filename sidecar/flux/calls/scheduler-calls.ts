// What may be asked of the scheduler itself, typed.

import { ERRNO, isRemote } from '../errors.ts'
import type { Client } from '../wire/client.ts'
import { isJsonObject } from '../wire/payload.ts'
import { stringAt } from './answer.ts'
import { LEAD_RANK, type Limits } from './broker-calls.ts'

/**
 * Fluxion's queue policy, `fcfs` for one; `undefined` where the scheduler is another one, or so old that it does not tell.
 */
export async function getFluxionPolicy(
  client: Client,
  limits: Limits,
): Promise<string | undefined> {
  const topic = 'sched-fluxion-qmanager.params'
  try {
    const { params } = await client.call(topic, undefined, { ...limits, nodeid: LEAD_RANK })
    return isJsonObject(params) ? stringAt(params, 'queue-policy', topic) : undefined
  } catch (error) {
    if (isRemote(error, ERRNO.ENOSYS)) return undefined
    throw error
  }
}

/** How Fluxion chooses resources, whether by configuration, by options of its module, or by default. */
export interface FluxionMatching {
  /** `first` for one. */
  readonly policy: string
  /** `ALL:core,ALL:node` for one. */
  readonly pruneFilters: string
}

/** What is in force; `undefined` for guests, who are not told, and where {@link getFluxionPolicy} knows nothing. */
export async function getFluxionMatching(
  client: Client,
  limits: Limits,
): Promise<FluxionMatching | undefined> {
  const topic = 'sched-fluxion-resource.params'
  try {
    const { params } = await client.call(topic, undefined, { ...limits, nodeid: LEAD_RANK })
    if (!isJsonObject(params)) return undefined
    return {
      policy: stringAt(params, 'policy', topic),
      pruneFilters: stringAt(params, 'prune-filters', topic),
    }
  } catch (error) {
    if (isRemote(error, ERRNO.ENOSYS) || isRemote(error, ERRNO.EPERM)) return undefined
    throw error
  }
}
