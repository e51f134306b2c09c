// Which jobs run, where, and how long they may still take. Pure.

import { IdsetTexts } from '#explaining/idset-texts.ts'
import { spellEnd } from '#explaining/wording.ts'
import { formatJobId } from '#flux/calls/job-id.ts'
import type { RunningJob } from '#flux/calls/job-list-calls.ts'
import type { Snapshot } from '#scaling/snapshot.ts'

/** A running job. */
export interface RunningJobExplanation {
  /** F58 (RFC 19): `ƒ2aK`. */
  readonly id: string
  readonly user: number | null
  /** An idset (RFC 22). */
  readonly ranks: string
  /** Until its time limit; `null` without one, or if it is not known. */
  readonly endsInSeconds: number | null
}

/** Running jobs, the latest first. */
export interface RunningJobsExplanation {
  readonly listed: readonly RunningJobExplanation[]
  /**
   * Whether these are all. Of very many jobs only those are listed that matter for a size, and of jobs whose ranks would make the
   * answer too long, only the latest.
   */
  readonly areAll: boolean
}

/** @returns `null` if Flux does not list them */
export function explainRunningJobs(
  { runningJobs }: Snapshot,
  now: Date,
): RunningJobsExplanation | null {
  if (runningJobs === undefined) return null
  const { jobs, areAll } = runningJobs
  const texts = new IdsetTexts(MAX_IDSETS_LENGTH)
  const listed: RunningJobExplanation[] = []
  for (const job of jobs) {
    const ranks = texts.format(job.ranks)
    if (ranks === undefined) return { listed, areAll: false }
    const endsInSeconds = secondsLeft(job, now)
    listed.push({ id: formatJobId(job.id), user: job.userid ?? null, ranks, endsInSeconds })
  }
  return { listed, areAll }
}

/** Of all jobs together: a gateway takes an answer of 512 KiB. */
const MAX_IDSETS_LENGTH = 96 * 2 ** 10

/** Ten years. */
const NO_LIMIT_SECONDS = 10 * 365 * 86_400

/** How long the job may still run; `null` without a time limit, or if it is not known. */
export function secondsLeft({ expiration = 0 }: RunningJob, now: Date): number | null {
  const left = Math.max(0, expiration - now.getTime() / 1000)
  // Fluxion gives a job without a time limit the end of R, decades away.
  return expiration === 0 || left > NO_LIMIT_SECONDS ? null : left
}

/** `, which ends within 41 min`. Empty if it is not known. */
export function describeEnd(job: RunningJob, now: Date): string {
  if (job.expiration === undefined) return ''
  const left = secondsLeft(job, now)
  if (left === null) return ', which has no time limit'
  if (left === 0) return ', whose time limit is over'
  return `, which ${spellEnd(left)}`
}
