// What has been found and said about each lead broker, so that it is looked at, and said, once an hour: as long as the API
// server keeps an Event. Bounded, like everything that users can make many of.
import { RecentMap } from '#serving/limits/recent-map.ts'
import type { LeadBroker } from './lead-brokers.ts'

const REPEAT_MS = 3_600_000

/** As many as there may be lead brokers (lead-brokers.ts). */
const MAX_KNOWN = 20_000

interface Known {
  /** The pod that was looked at. A MiniCluster may have another one by now. */
  readonly pod: string
  /** `undefined`: there is nothing to say. */
  readonly reason: string | undefined
  readonly at: number
  readonly saidAt: number | undefined
}

/** The reason of a suspect that must be looked at, now or again. */
export const NOT_EXAMINED = 'NotExamined'

/** Times are milliseconds of a monotonic clock. */
export class KnownReasons {
  readonly #known = new RecentMap<string, Known>(MAX_KNOWN)
  /** When each was looked at last, also in vain. */
  readonly #lookedAt = new RecentMap<string, number>(MAX_KNOWN)

  /** So that those that cannot be looked at, or are more than can be in an hour, do not hold up the others for ever. */
  longestAgoFirst(pods: readonly LeadBroker[]): readonly LeadBroker[] {
    const never = Number.MIN_SAFE_INTEGER
    return pods
      .map((pod) => ({ pod, at: this.#lookedAt.get(keyOf(pod)) ?? never }))
      .sort((one, other) => one.at - other.at)
      .map(({ pod }) => pod)
  }

  /** Remembers that one is looked at. */
  look(pod: LeadBroker, now: number): void {
    this.#lookedAt.set(keyOf(pod), now)
  }

  /** What was found; {@link NOT_EXAMINED} if it must be looked at, now or again. */
  reasonOf(pod: LeadBroker, now: number): string | undefined {
    const known = this.#known.get(keyOf(pod))
    if (known?.pod !== pod.uid || now - known.at >= REPEAT_MS) return NOT_EXAMINED
    return known.reason
  }

  /** Remembers what was found. @returns whether it is to be said: it is new, or an hour old */
  learn(pod: LeadBroker, reason: string | undefined, now: number): boolean {
    const before = this.#known.get(keyOf(pod))
    const isSaid =
      before?.saidAt !== undefined && before.reason === reason && now - before.saidAt < REPEAT_MS
    const isToSay = reason !== undefined && !isSaid
    const saidAt = isToSay ? now : before?.saidAt
    this.#known.set(keyOf(pod), { pod: pod.uid, reason, at: now, saidAt })
    return isToSay
  }

  /** What was to be said was not said. */
  forget(pod: LeadBroker): void {
    this.#known.delete(keyOf(pod))
  }
}

/** The Job of a MiniCluster has its name, and one lead broker at a time. */
function keyOf({ namespace, job }: LeadBroker): string {
  return `${namespace}/${job.name}`
}
