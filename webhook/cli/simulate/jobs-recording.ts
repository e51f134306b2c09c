// A recording of jobs that ran, as `flux jobs -a --json` prints it: when each was submitted, what it requested, and how long
// it ran.
import * as v from 'valibot'
import type { ReadResult } from '../input/documents.ts'
import type { Arrival } from './simulation.ts'

const Count = v.nullish(v.number())

const RecordedJob = v.looseObject({
  t_submit: v.number(),
  t_run: Count,
  t_cleanup: Count,
  t_inactive: Count,
  nnodes: Count,
  ncores: Count,
  ntasks: Count,
  duration: Count,
  urgency: Count,
})

const Recording = v.looseObject({ jobs: v.array(RecordedJob) })

type RecordedJob = v.InferOutput<typeof RecordedJob>

/** Whether a text looks like a recording, valid or not. */
export function isRecording(text: string): boolean {
  return /^\s*\{\s*"jobs"\s*:/.test(text)
}

/** Jobs that never ran are left out: their run time is not known. */
export function readRecording(text: string, name: string): ReadResult<readonly Arrival[]> {
  const value = parseJson(text)
  if (value === undefined) {
    return { found: [], problems: [`${name}: expected JSON as "flux jobs -a --json" prints it`] }
  }
  const parsed = v.safeParse(Recording, value)
  if (!parsed.success) {
    const problems = parsed.issues.map((issue) => {
      const path = v.getDotPath(issue) ?? 'the whole file'
      return `${name}: ${path}: expected ${issue.expected}, got ${issue.received}`
    })
    return { found: [], problems }
  }
  const jobs = parsed.output.jobs.filter((job) => runtimeOf(job) !== undefined)
  if (jobs.length === 0)
    return { found: [], problems: [`${name}: expected at least one job that ran`] }
  const start = Math.min(...jobs.map(({ t_submit }) => t_submit))
  const arrivals = jobs.map((job) => ({
    atMs: Math.round((job.t_submit - start) * 1000),
    job: requestOf(job),
  }))
  return { found: [arrivals.sort((a, b) => a.atMs - b.atMs)], problems: [] }
}

/** @returns `undefined` if the text is not JSON */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function runtimeOf({ t_run, t_cleanup, t_inactive }: RecordedJob): number | undefined {
  const end = t_cleanup ?? t_inactive
  if (typeof t_run !== 'number' || typeof end !== 'number') return undefined
  return Math.max(0, end - t_run)
}

/** A field that job-list does not know is absent or -1. */
function requestOf(job: RecordedJob): Arrival['job'] {
  const { urgency, duration } = job
  const [nodes, cores, tasks] = [job.nnodes, job.ncores, job.ntasks].map(positive)
  return {
    ...(nodes !== undefined && { nodes }),
    ...(cores !== undefined && { cores }),
    ...(tasks !== undefined && { tasks }),
    ...(typeof urgency === 'number' && { urgency }),
    duration: runtimeOf(job) ?? 0,
    ...(typeof duration === 'number' && duration > 0 && { timeLimit: duration }),
  }
}

function positive(count: number | null | undefined): number | undefined {
  return typeof count === 'number' && count > 0 ? count : undefined
}
