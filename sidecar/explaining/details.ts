// The parts of an explanation that are given only if they are asked for, because they may be long. Pure.
import type { Metric } from '#metrics/metric.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import type { Explanation } from './explanation.ts'
import { explainPendingJobs, type PendingJobsExplanation } from './jobs/pending-jobs.ts'
import { explainRunningJobs, type RunningJobsExplanation } from './jobs/running-jobs.ts'
import type { LastHourExplanation } from './last-hour.ts'
import { explainMetrics, type MetricExplanation } from './metric-values.ts'
import { explainRanks, type RanksInState } from './rank-states.ts'

/** What may be asked for: pending jobs; ranks and the jobs on them; the last hour; the value of each metric. */
export const DETAILS = ['jobs', 'ranks', 'history', 'metrics'] as const

export type Detail = (typeof DETAILS)[number]

/** An explanation, with what was asked for. */
export interface DetailedExplanation extends Explanation {
  /** `null` if Flux does not show them. */
  readonly jobs?: PendingJobsExplanation | null
  readonly ranks?: readonly RanksInState[]
  /** With `ranks`; `null` if Flux does not list them. */
  readonly running?: RunningJobsExplanation | null
  readonly history?: LastHourExplanation
  readonly metrics?: readonly MetricExplanation[]
}

/** Where the last hour is remembered. */
export interface Remembering {
  explain(): LastHourExplanation
}

/** @param now the time from which ages and remaining times are counted */
export function addDetails(
  explanation: Explanation,
  asked: ReadonlySet<Detail>,
  { snapshot, now, lastHour, metrics }: Sources,
): DetailedExplanation {
  return {
    ...explanation,
    ...(asked.has('jobs') && { jobs: explainPendingJobs(snapshot, now) }),
    ...(asked.has('ranks') && {
      ranks: explainRanks(snapshot),
      running: explainRunningJobs(snapshot, now),
    }),
    ...(asked.has('history') && { history: lastHour.explain() }),
    ...(asked.has('metrics') && { metrics: explainMetrics(metrics, snapshot) }),
  }
}

interface Sources {
  readonly snapshot: Snapshot
  readonly now: Date
  readonly lastHour: Remembering
  /** All metrics of the catalog. */
  readonly metrics: readonly Metric[]
}
