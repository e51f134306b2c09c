// The requests of pending jobs by job id: a jobspec is read once, and forgotten when its job is no longer pending. Bounded,
// whatever users submit.
import type { Constraint } from '#flux/calls/constraint.ts'
import type { JobId, PendingJob } from '#flux/calls/job-list-calls.ts'
import type { ResourceRequest } from '#flux/calls/jobspec.ts'
import { mapInTurns } from '#flux/turns.ts'
import { isUnknown, type Unknown, unknown } from '#reading/unknown.ts'
import { digestOf, textOfConstraint } from './digest.ts'

/**
 * Parts of jobs, ranges of ranks, hostlists and properties in all requests that differ: some 10 MB. Jobs with the same request,
 * or the same constraint, share it.
 */
const MAX_WEIGHT = 100_000

/** Characters of a hostlist that count as one, besides the list itself. */
const TEXT_UNIT = 32

const TOO_LARGE = unknown('the requests of the pending jobs are too many and too large to be read')

/** A request; or why the jobspec could not be read, which asking again would not change. */
export type ReadRequest = ResourceRequest | Unknown

interface Entry {
  /** A job that moves to another queue gets other constraints. */
  readonly queue: string | undefined
  readonly request: ReadRequest
  readonly weight: number
}

/**
 * How much one reading may add: what is read is all in memory before equal requests are shared. What goes beyond it is
 * left for the next reading.
 */
export class ReadBudget {
  #weightLeft = MAX_WEIGHT

  /** @returns whether the request may be kept; the first one always may */
  take(request: ResourceRequest): boolean {
    if (this.#weightLeft <= 0) return false
    this.#weightLeft -= weightOf(request)
    return true
  }
}

export class RequestCache {
  #entries: ReadonlyMap<JobId, Entry> = new Map()
  readonly #ways = new Shared<ResourceRequest['ways']>(JSON.stringify)
  readonly #constraints = new Shared<Constraint>(textOfConstraint)
  #weightLeft = MAX_WEIGHT

  /** What is known of a job. A request that was too large is not known any more once there is room for it. */
  find({ id, queue }: Pick<PendingJob, 'id' | 'queue'>): ReadRequest | undefined {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.queue !== queue) return undefined
    const fitsNow = entry.request === TOO_LARGE && entry.weight <= this.#weightLeft
    return fitsNow ? undefined : entry.request
  }

  /** Keeps the requests of these jobs, and forgets all others. Until it is done, the requests are those of before. */
  async replace(jobs: readonly PendingJob[], read: ReadonlyMap<JobId, ReadRequest>): Promise<void> {
    const before = this.#entries
    this.#weightLeft = MAX_WEIGHT
    this.#ways.restart()
    this.#constraints.restart()
    const entries = new Map<JobId, Entry>()
    // What is kept already has its place; only then is it clear how much room is left.
    await mapInTurns(jobs, (job) => {
      const entry = before.get(job.id)
      if (read.has(job.id) || entry === undefined || entry.queue !== job.queue) return
      this.#weightLeft -= this.#keep(entry.request)
      entries.set(job.id, entry)
    })
    await mapInTurns(jobs, (job) => {
      const request = read.get(job.id)
      if (request !== undefined) entries.set(job.id, this.#add(job, request))
    })
    this.#ways.forgetUnused()
    this.#constraints.forgetUnused()
    this.#entries = entries
  }

  /** @returns the weight that its parts add to those that were kept since the last restart */
  #keep(request: ReadRequest): number {
    if (isUnknown(request)) return 0
    const { constraint } = request
    const more = readingsOf(request)
      .filter((ways) => this.#ways.keep(ways))
      .reduce((sum, ways) => sum + weightOfWays(ways), 0)
    if (constraint === undefined || !this.#constraints.keep(constraint)) return more
    return more + weightOfConstraint(constraint)
  }

  #add({ queue }: PendingJob, request: ReadRequest): Entry {
    if (isUnknown(request)) return { queue, request, weight: 0 }
    const { ways, simpleWays, constraint } = request
    const places = {
      ways: this.#ways.lookUp(ways),
      simpleWays: simpleWays && this.#ways.lookUp(simpleWays),
      constraint: constraint && this.#constraints.lookUp(constraint),
    }
    const weight = weightOf(request)
    const isKnown = Object.values(places).every((place) => place?.isKnown !== false)
    if (!isKnown && weight > this.#weightLeft) return { queue, request: TOO_LARGE, weight }
    const kept = {
      ways: this.#ways.share(ways, places.ways),
      ...(simpleWays &&
        places.simpleWays && { simpleWays: this.#ways.share(simpleWays, places.simpleWays) }),
      constraint:
        constraint && places.constraint && this.#constraints.share(constraint, places.constraint),
    }
    this.#weightLeft -= this.#keep(kept)
    return { queue, request: kept, weight }
  }
}

/** Where the object for all values that are alike is, or would be. */
interface Place {
  readonly digest: string
  readonly isKnown: boolean
}

/** One object for all values that are alike. Values are looked up by a digest: their texts would be as large as they are. */
class Shared<Value extends object> {
  readonly #textOf: (value: Value) => string
  readonly #byDigest = new Map<string, Value>()
  readonly #digests = new Map<Value, string>()
  readonly #used = new Set<Value>()

  /** @param textOf the same text only for values that are alike */
  constructor(textOf: (value: Value) => string) {
    this.#textOf = textOf
  }

  restart(): void {
    this.#used.clear()
  }

  lookUp(value: Value): Place {
    const digest = digestOf(this.#textOf(value))
    return { digest, isKnown: this.#byDigest.has(digest) }
  }

  /** The object for all values that are like this one. */
  share(value: Value, { digest }: Place): Value {
    const known = this.#byDigest.get(digest)
    if (known !== undefined) return known
    this.#byDigest.set(digest, value)
    this.#digests.set(value, digest)
    return value
  }

  /** @returns whether the value was not kept since the last restart */
  keep(value: Value): boolean {
    const isFirst = !this.#used.has(value)
    this.#used.add(value)
    return isFirst
  }

  forgetUnused(): void {
    for (const [value, digest] of this.#digests) {
      if (this.#used.has(value)) continue
      this.#digests.delete(value)
      this.#byDigest.delete(digest)
    }
  }
}

/** What Fluxion reads and, if that is something else, what sched-simple does. */
function readingsOf({ ways, simpleWays }: ResourceRequest): readonly ResourceRequest['ways'][] {
  return simpleWays === undefined ? [ways] : [ways, simpleWays]
}

function weightOf(request: ResourceRequest): number {
  const { constraint } = request
  return readingsOf(request).reduce(
    (sum, ways) => sum + weightOfWays(ways),
    constraint === undefined ? 0 : weightOfConstraint(constraint),
  )
}

function weightOfWays(ways: ResourceRequest['ways']): number {
  return ways.reduce((sum, parts) => sum + 1 + parts.length, 0)
}

function weightOfConstraint(constraint: Constraint): number {
  switch (constraint.kind) {
    case 'properties':
      return 1 + constraint.with.length + constraint.without.length
    case 'hosts':
      return constraint.hostlists.reduce(
        (sum, list) => sum + 1 + Math.ceil(list.length / TEXT_UNIT),
        1,
      )
    case 'ranks':
      return 1 + constraint.ranks.ranges.length
    default:
      return constraint.of.reduce((sum, one) => sum + weightOfConstraint(one), 1)
  }
}
