// Writes the Kubernetes Events that `kubectl describe minicluster` shows, and counts repeated ones up. A failure is logged
// and stops nothing. That the MiniCluster exists is the caller's to know.
import { createHash } from 'node:crypto'
import { RecentMap } from '#serving/limits/recent-map.ts'
import type { Logger } from '#serving/log.ts'
import { formatTime } from '#serving/time.ts'
import type { Cluster, ClusterObject } from '../kubernetes/cluster.ts'
import type { MiniCluster } from '../objects/minicluster.ts'
import { type EventSubject, type EventText, eventFields } from './event.ts'
import { EventFilter } from './event-filter.ts'

const COMPONENT = 'flux-metrics-webhook'

/** Events that are being written at once. Further ones are dropped, so that a slow API server does not fill the memory. */
const MAX_PENDING = 64

/** A repeated Event is counted up for this time after the last one, as client-go's are. */
const REPEATED_MS = 600_000

/** Events of which a repetition is known. client-go's figure. */
const MAX_KNOWN = 4096

/** An Event as the API server has stored it. */
interface Stored {
  readonly name: string
  readonly resourceVersion: string | undefined
  readonly firstTimestamp: string
  readonly count: number
}

interface Known {
  readonly at: number
  /** `undefined` if it could not be written. */
  readonly stored: Promise<Stored | undefined>
}

/** What an Event is about. Not the whole MiniCluster, which may be long: Events wait while the API server is slow. */
interface Subject extends EventSubject {
  readonly namespace: string
}

/** Writes events (core/v1 `Event`). */
export class EventRecorder {
  readonly #cluster: Cluster
  readonly #log: Logger
  readonly #filter = new EventFilter(performance.now())
  readonly #known = new RecentMap<string, Known>(MAX_KNOWN)
  #pending = 0

  constructor(options: { readonly cluster: Cluster; readonly log: Logger }) {
    this.#cluster = options.cluster
    this.#log = options.log
  }

  /**
   * Returns at once; a failure is logged.
   *
   * @param minicluster as the API server answered it: an Event about anything else would be a claim of a stranger
   * @returns false if it is dropped, because there are too many
   */
  record({ apiVersion, metadata }: MiniCluster, text: EventText): boolean {
    const now = performance.now()
    const { name, namespace, uid } = metadata
    const about = { apiVersion, kind: 'MiniCluster', name, uid }
    const subject = { ...about, namespace: namespace ?? 'default' }
    const { reason } = text
    if (!this.#filter.admit(uid ?? '', now)) {
      this.#log.debug({ uid, reason }, 'dropped an event: too many about this object, or in all')
      return false
    }
    if (this.#pending >= MAX_PENDING) {
      this.#log.warn({ uid, reason }, 'dropped an event: too many are being written')
      return false
    }
    this.#pending += 1
    const key = keyOf(subject, text)
    const known = this.#known.get(key)
    const isRepeated = known !== undefined && now - known.at < REPEATED_MS
    const stored = isRepeated
      ? this.#repeat(subject, text, known.stored)
      : this.#create(subject, text)
    this.#known.set(key, { at: now, stored })
    void stored.finally(() => {
      this.#pending -= 1
    })
    return true
  }

  async #create(subject: Subject, text: EventText): Promise<Stored | undefined> {
    const now = formatTime(new Date())
    const { name, namespace } = subject
    const metadata = { generateName: `${name}.`, namespace }
    const event = {
      metadata,
      ...eventFields(subject, text, COMPONENT),
      firstTimestamp: now,
      count: 1,
    }
    return this.#written(text, async () => {
      const created = await this.#cluster.create({ ...event, lastTimestamp: now })
      return created === 'conflict' ? undefined : storedAs(created, event)
    })
  }

  /** A new one if the earlier one was not written, or is gone: the API server keeps Events for an hour. */
  async #repeat(
    subject: Subject,
    text: EventText,
    earlier: Promise<Stored | undefined>,
  ): Promise<Stored | undefined> {
    const stored = await earlier
    if (stored === undefined) return this.#create(subject, text)
    const { name, resourceVersion, firstTimestamp, count } = stored
    const { namespace } = subject
    const metadata = { name, namespace, ...(resourceVersion !== undefined && { resourceVersion }) }
    const event = {
      metadata,
      ...eventFields(subject, text, COMPONENT),
      firstTimestamp,
      count: count + 1,
    }
    const replaced = await this.#written(text, async () => {
      const answer = await this.#cluster.replace({
        ...event,
        lastTimestamp: formatTime(new Date()),
      })
      return answer === 'conflict' ? answer : storedAs(answer, event)
    })
    return replaced === 'conflict' ? this.#create(subject, text) : replaced
  }

  async #written<T>({ reason, message }: EventText, write: () => Promise<T>) {
    try {
      return await write()
    } catch (err) {
      this.#log.warn({ err, reason, message }, 'could not write an event')
      return undefined
    }
  }
}

function storedAs(
  { metadata }: ClusterObject,
  { firstTimestamp, count }: Pick<Stored, 'firstTimestamp' | 'count'>,
): Stored | undefined {
  const { name, resourceVersion } = metadata ?? {}
  return name === undefined ? undefined : { name, resourceVersion, firstTimestamp, count }
}

/** Events are equal if all that a reader sees of them is. */
function keyOf({ uid }: Subject, { type, reason, message }: EventText): string {
  const text = JSON.stringify([uid, type, reason, message])
  return createHash('sha256').update(text).digest('base64')
}
