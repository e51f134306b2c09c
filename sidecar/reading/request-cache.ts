// The requests of pending jobs by job id: a jobspec is read once, and forgotten when its job is no longer pending. Bounded,
// whatever users submit.
import type { Constraint } from '#flux/calls/constraint.ts'
import type { JobId, PendingJob } from '#flux/calls/job-list-calls.ts'
import type { ResourceRequest } from '#flux/calls/jobspec.ts'
import { isUnknown, type Unknown, unknown } from './unknown.ts'

/**
 * Ranges of ranks, hosts and properties in all constraints that differ: some 10 MB. Jobs with the same constraint share it.
 */
const MAX_WEIGHT = 100_000

/** Characters of a host that count as one. */
const HOST_UNIT = 32

const TOO_LARGE = unknown(
  'the constraints of the pending jobs are too many and too large to be read',
)

/** A request; or why the jobspec could not be read, which asking again would not change. */
export type ReadRequest = ResourceRequest | Unknown

interface Entry {
  /** A job that moves to another queue gets other constraints. */
  readonly queue: string | undefined
  readonly request: ReadRequest
}

/**
 * How much one reading may add: what is read is all in memory before equal constraints are shared. What goes beyond it is
 * left for the next reading.
 */
export class ReadBudget {
  #weightLeft = 2 * MAX_WEIGHT

  /** @returns whether the request may be kept; the first one always may */
  take({ constraint }: ResourceRequest): boolean {
    if (this.#weightLeft <= 0) return false
    this.#weightLeft -= constraint === undefined ? 0 : weightOf(constraint)
    return true
  }
}

export class RequestCache {
  #entries: ReadonlyMap<JobId, Entry> = new Map()

  find({ id, queue }: Pick<PendingJob, 'id' | 'queue'>): ReadRequest | undefined {
    const entry = this.#entries.get(id)
    return entry !== undefined && entry.queue === queue ? entry.request : undefined
  }

  /** Keeps the requests of these jobs, and forgets all others. */
  replace(jobs: readonly PendingJob[], read: ReadonlyMap<JobId, ReadRequest>): void {
    const constraints = new SharedConstraints()
    const entries = new Map<JobId, Entry>()
    for (const job of jobs) {
      const request = read.get(job.id) ?? this.find(job)
      if (request !== undefined) {
        entries.set(job.id, { queue: job.queue, request: constraints.share(request) })
      }
    }
    this.#entries = entries
  }
}

/** One object for all constraints that are alike. */
class SharedConstraints {
  readonly #byText = new Map<string, Constraint>()
  readonly #texts = new Map<Constraint, string>()
  #weight = 0

  share(request: ReadRequest): ReadRequest {
    if (isUnknown(request) || request.constraint === undefined) return request
    const text = this.#texts.get(request.constraint) ?? JSON.stringify(request.constraint)
    const known = this.#byText.get(text)
    if (known !== undefined) return { ...request, constraint: known }
    this.#weight += weightOf(request.constraint)
    if (this.#weight > MAX_WEIGHT) return TOO_LARGE
    this.#byText.set(text, request.constraint)
    this.#texts.set(request.constraint, text)
    return request
  }
}

function weightOf(constraint: Constraint): number {
  switch (constraint.kind) {
    case 'properties':
      return 1 + constraint.with.length + constraint.without.length
    case 'hosts':
      return constraint.hosts.reduce((sum, host) => sum + Math.ceil(host.length / HOST_UNIT), 1)
    case 'ranks':
      return 1 + constraint.ranks.ranges.length
    default:
      return constraint.of.reduce((sum, one) => sum + weightOf(one), 1)
  }
}
