// A recording of jobs, as `flux jobs -a --json` prints it: when each was submitted, what it requested, how long it ran, or when
// it was canceled before it ran.
import * as v from 'valibot'
import type { ReadResult } from '../../input/files/documents.ts'
import { describeIssues } from '../../input/files/issues.ts'
import { jsonPieces, objectOffsets } from '../../input/files/json-pieces.ts'
import type { Arrival } from '../simulation.ts'

/** A field that Flux does not know may be empty. */
function known<T extends v.GenericSchema>(schema: T) {
  return v.pipe(
    v.unknown(),
    v.transform((value) => (value === '' ? undefined : value)),
    v.nullish(schema),
  )
}

const Time = known(v.number())
/** A larger number of JSON is not exact. */
const Count = known(v.pipe(v.number(), v.integer(), v.maxValue(Number.MAX_SAFE_INTEGER)))

/** Other fields are dropped: a recording may have 100,000 jobs. */
const RecordedJob = v.object({
  t_submit: v.number(),
  t_run: v.optional(Time),
  t_cleanup: v.optional(Time),
  t_inactive: v.optional(Time),
  nnodes: v.optional(Count),
  ncores: v.optional(Count),
  ntasks: v.optional(Count),
  duration: v.optional(Time),
  urgency: v.optional(Count),
  queue: v.nullish(v.string()),
})

type RecordedJob = v.InferOutput<typeof RecordedJob>

/** A job of a recording. */
export interface Recorded {
  readonly arrival: Arrival
  /** `file:line` of the job. */
  place(): string
}

export interface Recording {
  readonly jobs: readonly Recorded[]
  /** What is not simulated, a sentence each. */
  readonly warnings: readonly string[]
}

/** Whoever has more wrong jobs has the wrong file. */
const MAX_PROBLEMS = 10

const OBJECT_OF_JOBS = /^\uFEFF?\s*\{\s*"jobs"\s*:/

/** Whether a text looks like a recording, valid or not. A Kubernetes object has a kind. */
export function isRecording(text: string): boolean {
  if (OBJECT_OF_JOBS.test(text)) return true
  return /^\uFEFF?\s*\{/.test(text) && !/"(?:apiVersion|kind)"\s*:/.test(text)
}

/**
 * Reads one object with `jobs`, or a job alone (`flux jobs --json ID`), or several of them, one after the other. Jobs that had
 * not ended are left out: how long they run is not known.
 */
export function readRecording(text: string, name: string): ReadResult<Recording> {
  const offsets = jsonPieces(text)
  const values: unknown[] = []
  for (const [index, offset] of offsets.entries()) {
    try {
      values.push(...jobsOf(JSON.parse(text.slice(offset, offsets[index + 1]).trim())))
    } catch (error) {
      const problem = `${name}:${lineAt(text, offset)}: expected JSON as "flux jobs -a --json" prints it`
      return { found: [], problems: [`${problem}: ${String((error as Error).message)}`] }
    }
  }
  const placeOf = placesIn(text, name)
  const parsed: RecordedJob[] = []
  const problems: string[] = []
  for (const [index, value] of values.entries()) {
    const result = v.safeParse(RecordedJob, value)
    if (result.success) parsed.push(result.output)
    else problems.push(...describeIssues({ placeOf: () => placeOf(index) }, result.issues))
    if (problems.length >= MAX_PROBLEMS) break
  }
  if (problems.length > 0) return { found: [], problems }
  const start = parsed.reduce((least, { t_submit }) => Math.min(least, t_submit), Infinity)
  const jobs = parsed.flatMap((job, index) => {
    const arrival = arrivalOf(job, start)
    return arrival === undefined ? [] : [{ arrival, place: () => placeOf(index) }]
  })
  if (jobs.length === 0) {
    return {
      found: [],
      problems: [`${name}: expected at least one job that has ended, found none`],
    }
  }
  const left = parsed.length - jobs.length
  const warning = `${name}: warning: ${left} of ${parsed.length} jobs had not ended and are left out`
  return { found: [{ jobs, warnings: left === 0 ? [] : [warning] }], problems }
}

function jobsOf(value: unknown): readonly unknown[] {
  const isObject = typeof value === 'object' && value !== null
  return isObject && 'jobs' in value && Array.isArray(value.jobs) ? value.jobs : [value]
}

/** Where the n-th job begins, searched for when it is first asked for. */
function placesIn(text: string, name: string): (index: number) => string {
  let offsets: readonly number[] | undefined
  return (index) => {
    offsets ??= objectOffsets(text, OBJECT_OF_JOBS.test(text) ? 2 : 0)
    return `${name}:${lineAt(text, offsets[index] ?? 0)}`
  }
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

/** @returns `undefined` if it is not known how long the job runs */
function arrivalOf(job: RecordedJob, start: number): Arrival | undefined {
  const { t_submit } = job
  const [ran, cleanedUp, ended] = [job.t_run, job.t_cleanup, job.t_inactive].map(positive)
  const end = cleanedUp ?? ended
  if (end === undefined) return undefined
  const atMs = Math.round((t_submit - start) * 1000)
  if (ran !== undefined) {
    return { atMs, job: { ...requestOf(job), duration: Math.max(0, end - ran) } }
  }
  return {
    atMs,
    job: requestOf(job),
    cancelAfterMs: Math.max(0, Math.round((end - t_submit) * 1000)),
  }
}

/** A field that job-list does not know is absent, 0 or -1. */
function requestOf(job: RecordedJob): Arrival['job'] {
  const { urgency, queue } = job
  const [nodes, cores, tasks, timeLimit] = [job.nnodes, job.ncores, job.ntasks, job.duration].map(
    positive,
  )
  return {
    ...(nodes !== undefined && { nodes }),
    ...(cores !== undefined && { cores }),
    ...(tasks !== undefined && { tasks }),
    ...(timeLimit !== undefined && { timeLimit }),
    ...(typeof urgency === 'number' && { urgency }),
    ...(typeof queue === 'string' && queue !== '' && { queue }),
  }
}

function positive(count: number | null | undefined): number | undefined {
  return typeof count === 'number' && count > 0 ? count : undefined
}
