// The control API of the lead broker's pod, called through the API server. It stands in for users who submit jobs, and it
// causes faults.
import * as v from 'valibot'
import type { JobRequest } from '#simulation/instance.ts'
import { getRaw, kubectl } from './kubectl.ts'

const PORT = 8051

/** A MiniCluster's broker, whose control API can be called. */
export interface Broker {
  get(path: string): Promise<unknown>
  post(path: string, body?: object): Promise<unknown>
}

/** The pod with the control API. */
export interface Lead {
  readonly namespace: string
  readonly pod: string
}

function pathOf({ namespace, pod }: Lead): string {
  return `/api/v1/namespaces/${namespace}/pods/${pod}:${PORT}/proxy`
}

export async function getControl(lead: Lead, path: string): Promise<unknown> {
  return getRaw(`${pathOf(lead)}${path}`)
}

/** Posts and returns the answer. A broker that is asked to end may end before it answers, so this result is not checked. */
export async function postControl(lead: Lead, path: string, body: object): Promise<unknown> {
  const { code, stdout, stderr } = await kubectl(
    ['create', '--raw', `${pathOf(lead)}${path}`, '-f', '-'],
    JSON.stringify(body),
  )
  if (code === 0) return JSON.parse(stdout)
  if (path === '/kill' || path === '/shutdown') return undefined
  throw new Error(`Cannot post ${path} to the broker: ${stderr.trim()}`)
}

const JobReport = v.object({
  id: v.string(),
  state: v.string(),
  result: v.optional(v.string()),
  ranks: v.array(v.number()),
  /** When it entered each state, in milliseconds since the epoch. */
  times: v.record(v.string(), v.number()),
  note: v.optional(v.string()),
})

const History = v.object({
  nodes: v.array(
    v.object({ name: v.string(), ranks: v.array(v.number()), reason: v.optional(v.string()) }),
  ),
  jobs: v.array(JobReport),
})

/** A job. `note` belongs to the exception that ended it. */
export type JobReport = v.InferOutput<typeof JobReport>

/** Changes of nodes, and jobs that have ended, since the broker's start, oldest first. */
export type History = v.InferOutput<typeof History>

/** Submits a job and returns its id. */
export async function submitJob(broker: Broker, job: JobRequest): Promise<string> {
  return v.parse(JobReport, await broker.post('/jobs', job)).id
}

export async function readJob(broker: Broker, id: string): Promise<JobReport> {
  return v.parse(JobReport, await broker.get(`/jobs/${id}`))
}

export async function readHistory(broker: Broker): Promise<History> {
  return v.parse(History, await broker.get('/history'))
}
