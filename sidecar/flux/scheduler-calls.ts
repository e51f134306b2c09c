// What may be asked of the scheduler itself, typed.
import { stringAt } from './answer.ts'
import { LEAD_RANK, type Limits } from './calls.ts'
import type { Client } from './client.ts'
import { ERRNO, isRemote } from './errors.ts'
import { isJsonObject } from './payload.ts'

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
