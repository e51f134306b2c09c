// Whether the job-stats stream still follows the jobs.
import { FluxError } from '#flux/errors.ts'
import type { ChangeFeed } from './change-feed.ts'

/** The job counts of the job-stats stream after a reading. */
export interface StreamCheck {
  readonly counts: string | undefined
  /** Since when, by `performance.now()`, they differ from those of readings; `undefined` if they do not. */
  readonly differsSince: number | undefined
}

/** job-stats reports a change after 200 ms, or when job-list is no longer busy. */
const STREAM_LAG_MS = 2_000

/**
 * Checks that the job-stats stream follows the jobs: a job-list module that is reloaded drops its streams silently. A
 * stream may lag behind readings for a while, but not send nothing meanwhile.
 *
 * @throws FluxError so that a new connection opens new streams
 */
export function checkStream(
  before: StreamCheck | undefined,
  read: string | undefined,
  { jobCounts: counts }: Pick<ChangeFeed, 'jobCounts'>,
): StreamCheck {
  if (counts === undefined || read === undefined || counts === read) {
    return { counts, differsSince: undefined }
  }
  const now = performance.now()
  const differsSince = (before?.counts === counts ? before.differsSince : undefined) ?? now
  if (now - differsSince > STREAM_LAG_MS) {
    throw new FluxError(
      'FLUX_DISCONNECTED',
      'Lost a stream: jobs changed, but job-stats did not report it',
    )
  }
  return { counts, differsSince }
}
