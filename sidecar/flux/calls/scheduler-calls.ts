// Typed calls about the scheduler itself.

import { ERRNO, isRemote } from '../errors.ts'
import type { Client } from '../wire/client.ts'
import { isJsonObject } from '../wire/payload.ts'
import { stringAt } from './answer.ts'
import { LEAD_RANK, type Limits } from './broker-calls.ts'

/**
 * Fluxion's queue policy, e.g. `fcfs`. `undefined` for another scheduler, and for an old Fluxion without this call.
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

/** How Fluxion chooses resources: by its configuration, the options of its module, or its defaults. */
export interface FluxionMatching {
  /** E.g. `first`. */
  readonly policy: string
  /** E.g. `ALL:core,ALL:node`. */
  readonly pruneFilters: string
}

/** The settings in force. `undefined` for guests, and where {@link getFluxionPolicy} returns `undefined`. */
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
