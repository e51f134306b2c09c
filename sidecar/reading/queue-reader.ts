// Reads the queues over one connection: which are started, and which ranks each has.
import { getConfig, type Limits } from '#flux/calls/broker-calls.ts'
import { isQueueStarted } from '#flux/calls/queue-calls.ts'
import { ERRNO, isRemote } from '#flux/errors.ts'
import type { Idset } from '#flux/sets/idset.ts'
import type { Client } from '#flux/wire/client.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import type { Jobs, QueueState } from './facts.ts'
import { ranksOfQueue } from './queue-ranks.ts'

/** The configuration is read again after this time, because an administrator may reload it. */
const CONFIG_LIFE_MS = 60_000

/** Our name for the only queue of an instance without named queues. */
const ANONYMOUS = ''

/** What Flux answered about queues. Their ranks are known only with the properties of R. */
export interface QueueReading {
  readonly started: ReadonlyMap<string, boolean>
  readonly config: JsonObject
}

export class QueueReader {
  readonly #client: Client
  #config: { readonly value: JsonObject; readonly readAt: number } | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /** @param jobs job counts: Flux is not asked about a queue in which no job waits for resources */
  async read({ total, queues }: Jobs, limits: Limits): Promise<QueueReading> {
    const asked =
      queues.size === 0
        ? [[ANONYMOUS, total.sched] as const]
        : [...queues].map(([name, { sched }]) => [name, sched] as const)
    const started = await Promise.all(
      asked.map(async ([name, waiting]) => {
        const queue = name === ANONYMOUS ? undefined : name
        return [name, waiting === 0 || (await this.#isStarted(queue, limits))] as const
      }),
    )
    return { started: new Map(started), config: await this.#readConfig(limits) }
  }

  async #isStarted(queue: string | undefined, limits: Limits): Promise<boolean> {
    try {
      return await isQueueStarted(this.#client, queue, limits)
    } catch (error) {
      // The queue was removed from the configuration: the jobs that are left in it never start.
      if (isRemote(error, ERRNO.EINVAL)) return false
      throw error
    }
  }

  async #readConfig(limits: Limits): Promise<JsonObject> {
    const now = performance.now()
    if (this.#config === undefined || now - this.#config.readAt > CONFIG_LIFE_MS) {
      this.#config = { value: await getConfig(this.#client, limits), readAt: now }
    }
    return this.#config.value
  }
}

/** The states of the queues. */
export function toQueueStates(
  { started, config }: QueueReading,
  properties: ReadonlyMap<string, Idset>,
): ReadonlyMap<string, QueueState> {
  return new Map(
    [...started].map(([name, isStarted]) => [
      name,
      { started: isStarted, ranks: ranksOfQueue(name, config, properties) },
    ]),
  )
}
