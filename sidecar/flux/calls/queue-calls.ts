// Typed calls about queues.

import type { Client } from '../wire/client.ts'
import type { JsonObject } from '../wire/payload.ts'
import { booleanAt } from './answer.ts'
import { LEAD_RANK, type Limits } from './broker-calls.ts'

/** Why no job of a queue starts. */
export type QueueStop =
  /** Somebody stopped it, or nobody has started it yet. */
  | { readonly by: 'queue' }
  /** It is virtual, and started; its parent is stopped. */
  | { readonly by: 'parent'; readonly parent: string }
  /** No scheduler is loaded, or it is not ready. Then Flux says of every queue that it is stopped. */
  | { readonly by: 'scheduler' }

/** The reason that Flux writes if there is no scheduler. */
const NO_SCHEDULER = 'Scheduler is offline'

/** Why jobs of a queue do not start; `undefined` if they do. Named queues are stopped when an instance starts. */
export async function getQueueStop(
  client: Client,
  name: string | undefined,
  limits: Limits,
): Promise<QueueStop | undefined> {
  const topic = 'job-manager.queue-status'
  // Without named queues there is one anonymous queue.
  const args = name === undefined ? {} : { name }
  const answer = await client.call(topic, args, { ...limits, nodeid: LEAD_RANK })
  return booleanAt(answer, 'start', topic) ? undefined : stopIn(answer)
}

function stopIn({ blocked, parent, stop_reason: reason }: JsonObject): QueueStop {
  if (blocked === 'parent' && typeof parent === 'string') return { by: 'parent', parent }
  return { by: reason === NO_SCHEDULER ? 'scheduler' : 'queue' }
}
