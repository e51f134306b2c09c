// The control API of the lead broker's pod, through the API server: the stand-in for users who submit jobs, and for what
// goes wrong.
import * as v from 'valibot'
import type { JobRequest } from '#simulation/instance.ts'
import type { Environment } from './environment.ts'
import { getRaw, kubectl } from './kubectl.ts'

const PORT = 8051

/** Where the control API is. */
export interface Lead {
  readonly namespace: string
  readonly pod: string
}

function pathOf({ namespace, pod }: Lead): string {
  return `/api/v1/namespaces/${namespace}/pods/${pod}:${PORT}/proxy`
}

export async function askControl(lead: Lead, path: string): Promise<unknown> {
  return getRaw(`${pathOf(lead)}${path}`)
}

/** Posts, and tells what was answered; a broker told to die may not live to answer: its outcome is not checked. */
export async function tellControl(lead: Lead, path: string, body: object): Promise<unknown> {
  const { code, stdout, stderr } = await kubectl(
    ['create', '--raw', `${pathOf(lead)}${path}`, '-f', '-'],
    JSON.stringify(body),
  )
  if (code === 0) return JSON.parse(stdout)
  if (path === '/kill' || path === '/shutdown') return undefined
  throw new Error(`Cannot tell the broker ${path}: ${stderr.trim()}`)
}

const JobReport = v.object({
  id: v.string(),
  state: v.string(),
  result: v.optional(v.string()),
  ranks: v.array(v.number()),
  note: v.optional(v.string()),
})

const History = v.object({
  nodes: v.array(
    v.object({ name: v.string(), ranks: v.array(v.number()), reason: v.optional(v.string()) }),
  ),
  jobs: v.array(JobReport),
})

/** A job; `note` is of the exception that ended it. */
export type JobReport = v.InferOutput<typeof JobReport>

/** What became of nodes and jobs since the broker's start, oldest first: changes of nodes, and the jobs that have ended. */
export type History = v.InferOutput<typeof History>

/** Submits a job, and tells its id. */
export async function submitJob(environment: Environment, job: JobRequest): Promise<string> {
  return v.parse(JobReport, await environment.tell('/jobs', job)).id
}

export async function readJob(environment: Environment, id: string): Promise<JobReport> {
  return v.parse(JobReport, await environment.ask(`/jobs/${id}`))
}

export async function readHistory(environment: Environment): Promise<History> {
  return v.parse(History, await environment.ask('/history'))
}
