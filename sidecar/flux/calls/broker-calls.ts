// Typed calls about the broker itself: one function for each method, with a checked answer. Calls about resources and jobs
// are in resource-calls.ts and job-calls.ts.

import type { CallOptions, Client } from '../wire/client.ts'
import type { JsonObject } from '../wire/payload.ts'
import { stringAt } from './answer.ts'

/** `resource.*` and `job-manager.*` answer on rank 0 only. */
export const LEAD_RANK = 0

/** Deadline and signal of a call. Each call chooses the rank itself. */
export type Limits = Omit<CallOptions, 'nodeid'>

/** An attribute of the connected broker, e.g. `version`. */
export async function getAttribute(client: Client, name: string, limits: Limits): Promise<string> {
  const answer = await client.call('attr.get', { name }, limits)
  return stringAt(answer, 'value', 'attr.get')
}

/** The bit of a rolemask that the owner of the instance has (RFC 12). */
const OWNER_ROLE = 1

/** Whether we are the owner of the instance, by our UID. */
export async function isInstanceOwner(client: Client, limits: Limits): Promise<boolean> {
  const { rolemask } = await client.call(
    'broker.ping',
    { seq: 0 },
    { ...limits, nodeid: LEAD_RANK },
  )
  return (Number(rolemask) & OWNER_ROLE) !== 0
}

/** State of the instance. The answers to other calls are complete only in `run`. */
export async function getBrokerState(client: Client, limits: Limits): Promise<string> {
  const topic = 'state-machine.get'
  return stringAt(
    await client.call(topic, undefined, { ...limits, nodeid: LEAD_RANK }),
    'state',
    topic,
  )
}

/** The configuration of the connected broker: its TOML as an object, `{}` without a configuration. */
export async function getConfig(client: Client, limits: Limits): Promise<JsonObject> {
  return client.call('config.get', undefined, limits)
}
