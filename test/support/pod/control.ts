// The control API of the lead broker's pod: HTTP and JSON, for tests that reach it through the pod proxy of the API server.
// Tests use it to submit jobs and to cause faults. It is not part of Flux.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { isJsonObject, type JsonObject } from '#flux/wire/payload.ts'
import type { Instance, Job, JobRequest, JobResult } from '#simulation/instance.ts'
import { JOB_RESULTS } from '#simulation/jobs/job.ts'
import { ranksOf } from './settings.ts'

interface ControlOptions {
  readonly instance: Instance
  readonly log: (line: string) => void
  /** Ends the broker like SIGKILL, after the answer is sent. */
  readonly kill: () => void
  /** Ends every rank with exit code 0, after the answer is sent. */
  readonly shutdown: () => void
}

type Route = (path: RegExpExecArray, body: JsonObject, options: ControlOptions) => JsonObject

/** The largest accepted body. A job has 200 bytes. */
const MAX_BODY_BYTES = 64 * 1024

const ROUTES: readonly (readonly [RegExp, Route])[] = [
  [/^GET \/state$/, (_, __, { instance }) => stateOf(instance)],
  [/^GET \/history$/, (_, __, { instance }) => historyOf(instance)],
  [
    /^GET \/jobs\/([0-9]+)$/,
    ([, id = ''], _, { instance }) => {
      const job = instance.jobs.get(BigInt(id))
      if (job === undefined) throw new RangeError(`Cannot find job ${id}`)
      return jobOf(job)
    },
  ],
  [/^POST \/jobs$/, (_, body, { instance }) => jobOf(instance.submit(requestOf(body)))],
  [
    /^POST \/jobs\/([0-9]+)\/finish$/,
    ([, id = ''], body, { instance }) => {
      instance.finish(BigInt(id), resultOf(body.result))
      return jobOf(instance.jobs.get(BigInt(id)))
    },
  ],
  [
    /^POST \/jobs\/cancel-all$/,
    (_, __, { instance }) => {
      instance.cancelAll()
      return stateOf(instance)
    },
  ],
  [
    /^POST \/drain$/,
    (_, { rank, reason }, { instance }) => {
      instance.drain([Number(rank)], typeof reason === 'string' ? reason : undefined)
      return stateOf(instance)
    },
  ],
  [
    /^POST \/undrain$/,
    (_, { rank }, { instance }) => {
      instance.undrain([Number(rank)])
      return stateOf(instance)
    },
  ],
  [
    // Brings up ranks without pods: a small machine has no space for many pods.
    /^POST \/up$/,
    (_, { ranks }, { instance }) => {
      instance.up(...ranksOf(String(ranks)))
      return stateOf(instance)
    },
  ],
  [
    // Takes them down again. The overlay does not know of them.
    /^POST \/down$/,
    (_, { ranks }, { instance }) => {
      instance.down(...ranksOf(String(ranks)))
      return stateOf(instance)
    },
  ],
  [
    /^POST \/kill$/,
    (_, __, { kill }) => {
      kill()
      return { dying: true }
    },
  ],
  [
    /^POST \/shutdown$/,
    (_, __, { shutdown }) => {
      shutdown()
      return { ending: true }
    },
  ],
]

/** Answers 200 with JSON, 404 for an unknown path, or 400 with the reason for a refused request. */
export function createControl(options: ControlOptions): Server {
  return createServer(async (request, response) => {
    const line = `${request.method} ${request.url?.split('?')[0]}`
    const answer = (code: number, body: JsonObject) => {
      response.writeHead(code, { 'Content-Type': 'application/json', Connection: 'close' })
      response.end(`${JSON.stringify(body)}\n`)
    }
    try {
      const body = await read(request)
      for (const [pattern, route] of ROUTES) {
        const path = pattern.exec(line)
        if (path === null) continue
        if (request.method !== 'GET') options.log(`${line} ${JSON.stringify(body)}`)
        answer(200, route(path, body, options))
        return
      }
      answer(404, { error: `No route for ${line}` })
    } catch (error) {
      answer(400, { error: error instanceof Error ? error.message : String(error) })
    }
  })
}

async function read(request: IncomingMessage): Promise<JsonObject> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > MAX_BODY_BYTES) throw new RangeError('Cannot read body: it is too large')
  }
  const body: unknown = text.trim() === '' ? {} : JSON.parse(text)
  if (!isJsonObject(body)) throw new TypeError('Cannot read body: expected a JSON object')
  return body
}

const NUMBERS = ['nodes', 'cores', 'gpus', 'tasks', 'duration', 'timeLimit', 'urgency'] as const
const TEXTS = ['queue', 'name', 'dependency'] as const

function requestOf(body: JsonObject): JobRequest {
  const fields: Record<string, string | number> = {}
  for (const name of NUMBERS) if (body[name] !== undefined) fields[name] = Number(body[name])
  for (const name of TEXTS) if (body[name] !== undefined) fields[name] = String(body[name])
  return fields
}

function resultOf(value: unknown): JobResult {
  if (value === undefined) return 'successful'
  for (const result of ['successful', 'failed', 'canceled', 'timeout'] as const) {
    if (result === value && JOB_RESULTS[result]) return result
  }
  throw new TypeError(`Cannot finish job: there is no result ${JSON.stringify(value)}`)
}

function jobOf(job: Job | undefined): JsonObject {
  return {
    id: `${job?.id}`,
    state: job?.state,
    result: job?.result,
    queue: job?.queue,
    ranks: job?.allocations.map(({ node }) => node.rank),
    times: { ...job?.times },
  }
}

function stateOf(instance: Instance): JsonObject {
  const active = [...instance.jobs.values()].filter(({ state }) => state !== 'INACTIVE')
  return {
    maxSize: instance.nodes.length,
    up: instance.online,
    drained: instance.nodes.filter(({ drain }) => drain !== undefined).map(({ rank }) => rank),
    jobs: active.map(jobOf),
    inactive: instance.jobs.size - active.length,
  }
}

/** The changes of nodes and the ended jobs since the start, oldest first. */
function historyOf({ changes, jobs }: Instance): JsonObject {
  const ended = [...jobs.values()].filter(({ state }) => state === 'INACTIVE')
  return {
    nodes: changes.map(({ name, ranks, reason }) => ({ name, ranks, reason })),
    jobs: ended.map((job) => ({ ...jobOf(job), note: job.exception?.note })),
  }
}
