// The calls about the broker itself, typed: one function a method, arguments in, checked answer out. Those about resources
// and jobs are in resource-calls.ts and job-calls.ts. When to call what is up to the caller.

import type { CallOptions, Client } from '../wire/client.ts'
import type { JsonObject } from '../wire/payload.ts'
import { stringAt } from './answer.ts'

/** `resource.*` and `job-manager.*` answer on rank 0 only. */
export const LEAD_RANK = 0

/** Deadline and signal of a call; the rank to ask is the call's own business. */
export type Limits = Omit<CallOptions, 'nodeid'>

/** Value of a broker attribute of the broker we are connected to, e.g. `version`. */
export async function getAttribute(client: Client, name: string, limits: Limits): Promise<string> {
  const answer = await client.call('attr.get', { name }, limits)
  return stringAt(answer, 'value', 'attr.get')
}

/** The bit of a rolemask that the owner of the instance has (RFC 12). */
const OWNER_ROLE = 1

/** Whether the broker takes us for the owner of the instance. */
export async function isInstanceOwner(client: Client, limits: Limits): Promise<boolean> {
  const { rolemask } = await client.call(
    'broker.ping',
    { seq: 0 },
    { ...limits, nodeid: LEAD_RANK },
  )
  return (Number(rolemask) & OWNER_ROLE) !== 0
}

/** Phase of the instance: only in `run` are all other figures complete. */
export async function getBrokerState(client: Client, limits: Limits): Promise<string> {
  const topic = 'state-machine.get'
  return stringAt(
    await client.call(topic, undefined, { ...limits, nodeid: LEAD_RANK }),
    'state',
    topic,
  )
}

/** The configuration of the broker we are connected to: its TOML as an object, `{}` without one. */
export async function getConfig(client: Client, limits: Limits): Promise<JsonObject> {
  return client.call('config.get', undefined, limits)
}
