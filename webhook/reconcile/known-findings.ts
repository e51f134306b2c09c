// What has been found and said about each lead broker, so that it is looked at, and said, once an hour: as long as the API
// server keeps an Event. Bounded, like everything that users can make many of.
import { RecentMap } from '#serving/recent-map.ts'
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
export class KnownFindings {
  readonly #known = new RecentMap<string, Known>(MAX_KNOWN)

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
}

/** The Job of a MiniCluster has its name, and one lead broker at a time. */
function keyOf({ namespace, job }: LeadBroker): string {
  return `${namespace}/${job.name}`
}
