// Reads the queues over one connection: which are started, and which ranks each has.
import { getConfig, type Limits } from '#flux/calls/broker-calls.ts'
import { getQueueStop } from '#flux/calls/queue-calls.ts'
import { isSince } from '#flux/calls/release.ts'
import { ERRNO, isRemote } from '#flux/errors.ts'
import type { Idset } from '#flux/sets/idset.ts'
import type { Client } from '#flux/wire/client.ts'
import { isJsonObject, type JsonObject } from '#flux/wire/payload.ts'
import { type Jobs, NO_QUEUE, type QueueState } from '#reading/facts.ts'
import { ranksOfQueue } from './queue-ranks.ts'

/** The configuration is read again after this time, because an administrator may reload it. */
const CONFIG_LIFE_MS = 60_000

/** Earlier releases count the jobs of a queue from its first job on. */
const ALL_QUEUES_COUNTED_SINCE = [0, 59] as const

/** What Flux answered about queues. Their ranks are known only with the properties of R. */
export interface QueueReading {
  /** Named queues: those of job-stats, and those that are configured. */
  readonly named: readonly string[]
  /** Why their jobs do not start; `undefined` if they do. */
  readonly stops: ReadonlyMap<string, QueueState['stop']>
  readonly waiting: WaitingQueues
  readonly config: JsonObject
}

/** Queues in which jobs wait for resources. */
export interface WaitingQueues {
  /** Named queues whose jobs do not start. */
  readonly stopped: ReadonlySet<string>
  /** Named queues whose jobs start. */
  readonly started: ReadonlySet<string>
  /** Whether every job that waits for resources is in a queue that is stopped. Without such jobs it is not known. */
  readonly areAllStopped: boolean
}

export class QueueReader {
  readonly #client: Client
  readonly #countsAllQueues: boolean
  #config: { readonly value: JsonObject; readonly readAt: number } | undefined
  /** Queues that are not configured, though Flux counts jobs in them: they were removed. */
  #removed: ReadonlySet<string> = new Set()

  /** @param version the release of flux-core */
  constructor(client: Client, version: string) {
    this.#client = client
    this.#countsAllQueues = isSince(version, ALL_QUEUES_COUNTED_SINCE)
  }

  /** @param jobs job counts: Flux is not asked about a queue in which no job waits for resources */
  async read({ total, queues }: Jobs, limits: Limits): Promise<QueueReading> {
    const config = await this.#readConfig([...queues.keys()], limits)
    const configured = this.#countsAllQueues ? [] : namesIn(config)
    const named = [...new Set([...queues.keys(), ...configured])]
    const asked =
      named.length === 0
        ? [[NO_QUEUE, total.sched] as const]
        : named.map((name) => [name, queues.get(name)?.sched ?? 0] as const)
    const stops = await Promise.all(
      asked.map(async ([name, waiting]) => {
        const queue = name === NO_QUEUE ? undefined : name
        return [name, waiting === 0 ? undefined : await this.#stopOf(queue, limits)] as const
      }),
    )
    const stopOf = new Map(stops)
    const withJobs = asked.filter(([, waiting]) => waiting > 0)
    const stopped = withJobs.filter(([name]) => stopOf.get(name) !== undefined)
    const inStopped = stopped.reduce((sum, [, waiting]) => sum + waiting, 0)
    const namesOf = (some: typeof withJobs) => some.map(([name]) => name).filter(isNamed)
    const waiting = {
      stopped: new Set(namesOf(stopped)),
      started: new Set(namesOf(withJobs.filter(([name]) => stopOf.get(name) === undefined))),
      areAllStopped: total.sched > 0 && inStopped >= total.sched,
    }
    return { named, stops: stopOf, waiting, config }
  }

  async #stopOf(queue: string | undefined, limits: Limits): Promise<QueueState['stop']> {
    try {
      return await getQueueStop(this.#client, queue, limits)
    } catch (error) {
      // The queue was removed from the configuration: the jobs that are left in it never start.
      if (isRemote(error, ERRNO.EINVAL)) return { by: 'removal' }
      throw error
    }
  }

  /** @param used queues with jobs: one that is not in the configuration is newer than it, or was removed */
  async #readConfig(used: readonly string[], limits: Limits): Promise<JsonObject> {
    const now = performance.now()
    const last = this.#config
    const isOld = last === undefined || now - last.readAt > CONFIG_LIFE_MS
    const missing = (config: JsonObject) => {
      const names = new Set(namesIn(config))
      return used.filter((name) => !names.has(name))
    }
    if (!isOld && missing(last.value).every((name) => this.#removed.has(name))) return last.value
    const value = await getConfig(this.#client, limits)
    this.#config = { value, readAt: now }
    this.#removed = new Set(missing(value))
    return value
  }
}

function isNamed(name: string): boolean {
  return name !== NO_QUEUE
}

function namesIn({ queues }: JsonObject): readonly string[] {
  return isJsonObject(queues) ? Object.keys(queues) : []
}

/** The states of the queues. */
export function toQueueStates(
  { stops, config }: QueueReading,
  properties: ReadonlyMap<string, Idset>,
): ReadonlyMap<string, QueueState> {
  return new Map(
    [...stops].map(([name, stop]) => [
      name,
      {
        started: stop === undefined,
        ranks: ranksOfQueue(name, config, properties),
        ...(stop && { stop }),
      },
    ]),
  )
}
