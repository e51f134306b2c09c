// Describes in words the jobs that fit on free nodes and are not started. Pure.

import { type Notice, type NoticeCode, notice } from '#explaining/notice.ts'
import { plural, spellSeconds } from '#explaining/wording.ts'
import { formatJobId } from '#flux/calls/job-id.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import type { UnstartedJob } from '#scaling/unstarted/unstarted-jobs.ts'

/** The most jobs that are named. */
const MAX_JOBS = 5

type Reading = Pick<Snapshot, 'takenAt' | 'unstarted'>

/** Jobs for which the size grows. */
export function describeTried({ takenAt, unstarted = [] }: Reading): readonly Notice[] {
  const tried = unstarted.filter(({ size }) => size !== undefined)
  return firstOf(
    'growth-tried',
    tried,
    (job) => `${formatJobId(job.id)} ${describeUnstarted(job, takenAt)}`,
  )
}

/** Jobs that were set aside: what the warnings and the log say. */
export function describeUnhelped({ takenAt, unstarted = [] }: Reading): readonly Notice[] {
  const unhelped = unstarted.filter(({ size }) => size === undefined)
  return firstOf('jobs-not-started', unhelped, (job) => describeSetAside(job, takenAt))
}

/** `ƒ2aK has waited 12 min although 4 nodes are free; more nodes did not help: see flux job eventlog ƒ2aK`. */
export function describeSetAside(job: UnstartedJob, takenAt: Date): string {
  return `${formatJobId(job.id)} ${describeUnstarted({ ...job, size: undefined }, takenAt)}`
}

/** What is done for the job, without its id: `has waited 12 min although 4 nodes are free: a size of 9 is tried`. */
export function describeUnstarted(job: UnstartedJob, takenAt: Date): string {
  const { id, isGrown, absentNodes, size } = job
  const wait = describeWait(job, takenAt)
  if (size !== undefined) return `${wait}: a size of ${size} is tried`
  const effect = isGrown ? 'more nodes did not help' : 'there are no more nodes for it'
  const absent = absentNodes === 0 ? '' : `, and ${plural(absentNodes, 'node')} did not come`
  const cure = `see flux job eventlog ${formatJobId(id)}`
  return `${wait}; ${effect}${absent}: ${cure}`
}

function describeWait(
  { submittedAt, freeNodes, fits }: Pick<UnstartedJob, 'submittedAt' | 'freeNodes' | 'fits'>,
  takenAt: Date,
): string {
  const waited =
    submittedAt === undefined ? '' : ` ${spellSeconds(takenAt.getTime() / 1000 - submittedAt)}`
  const be = freeNodes === 1 ? (fits ? 'is' : 'was') : fits ? 'are' : 'were'
  return `has waited${waited} although ${plural(freeNodes, 'node')} ${be} free`
}

function firstOf(
  code: NoticeCode,
  jobs: readonly UnstartedJob[],
  describe: (job: UnstartedJob) => string,
): readonly Notice[] {
  const more = jobs.length - MAX_JOBS
  const texts = [
    ...jobs.slice(0, MAX_JOBS).map(describe),
    ...(more > 0 ? [`${plural(more, 'more job')} of this kind`] : []),
  ]
  return texts.map((text) => notice(code, text))
}
