// Typed calls about queues.

import type { Client } from '../wire/client.ts'
import { booleanAt } from './answer.ts'
import { LEAD_RANK, type Limits } from './broker-calls.ts'

/** Whether jobs of a queue can start. Named queues are stopped when an instance starts. */
export async function isQueueStarted(
  client: Client,
  name: string | undefined,
  limits: Limits,
): Promise<boolean> {
  const topic = 'job-manager.queue-status'
  // Without named queues there is one anonymous queue.
  const args = name === undefined ? {} : { name }
  const answer = await client.call(topic, args, { ...limits, nodeid: LEAD_RANK })
  return booleanAt(answer, 'start', topic)
}
