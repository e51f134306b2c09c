// The first pending jobs, and what each waits for. Pure.

import { IdsetTexts } from '#explaining/idset-texts.ts'
import { formatJobId } from '#flux/calls/job-id.ts'
import { isEmpty } from '#flux/sets/idset.ts'
import { isUnknown } from '#reading/unknown.ts'
import { MAX_PLACES } from '#scaling/demand.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { shorten } from '#serving/text.ts'
import { Causes, type WaitsFor } from './pending-cause.ts'

/** A pending job. */
export interface PendingJobExplanation {
  /** F58 (RFC 19): `ƒ2aK`. */
  readonly id: string
  readonly user: number | null
  /** `null` without named queues. */
  readonly queue: string | null
  /** Seconds since it was submitted; `null` if Flux does not say. */
  readonly waitedSeconds: number | null
  readonly waitsFor: WaitsFor
  /**
   * Ranks, as an idset (RFC 22): those that it would be given, or if it waits for other jobs, those that it would be given if
   * it were alone. `null` if there are none, if they are not known, or if so much was written of the ranks of jobs before it.
   */
  readonly ranks: string | null
  /** What it waits for, without its id: `waits for rank 2, which runs job ƒ1xY of user 1000`. */
  readonly text: string
}

/** The first pending jobs, the highest priority first. */
export interface PendingJobsExplanation {
  readonly first: readonly PendingJobExplanation[]
  /** How many more jobs are pending. */
  readonly more: number
}

/** Of all jobs together: a gateway takes an answer of 512 KiB. */
const MAX_IDSETS_LENGTH = 48 * 2 ** 10

/** Longer names of queues are cut. */
const MAX_QUEUE = { characters: 255 }

/** @returns `null` if Flux does not show the jobs */
export function explainPendingJobs(snapshot: Snapshot, now: Date): PendingJobsExplanation | null {
  const { waiting, demand } = snapshot
  if (isUnknown(waiting)) return null
  const first = waiting.jobs.slice(0, MAX_PLACES)
  const causes = new Causes(snapshot, demand.kind === 'known' ? demand : undefined, now)
  const texts = new IdsetTexts(MAX_IDSETS_LENGTH)
  return {
    first: first.map((job) => {
      const { waitsFor, text, ranks } = causes.of(job)
      const { id, userid = null, queue, submittedAt } = job
      const waited = submittedAt === undefined ? null : now.getTime() / 1000 - submittedAt
      return {
        id: formatJobId(id),
        user: userid,
        queue: queue === undefined ? null : shorten(queue, MAX_QUEUE),
        waitedSeconds: waited === null ? null : Math.max(0, waited),
        waitsFor,
        ranks: ranks === undefined || isEmpty(ranks) ? null : (texts.format(ranks) ?? null),
        text,
      }
    }),
    more: Math.max(0, waiting.total - first.length),
  }
}
