// Serves the page and its data on loopback, for the browser of the user who started it.
import { randomBytes } from 'node:crypto'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { messageOf } from '#serving/text.ts'
import { problemOfName } from '../input/flags.ts'
import type { DashboardData, Subject } from './data.ts'
import { admit } from './guard.ts'
import type { PageFiles } from './page-files.ts'
import { HEADERS } from './page-headers.ts'

/** As many tabs as anybody has open, each with a few connections. */
const MAX_CONNECTIONS = 128

/** Connections that have not shown the token. Every program on this machine can open some, and must not take those of the user. */
const MAX_STRANGERS = 64

const MAX_METRIC_LENGTH = 253

const JSON_TYPE = 'application/json'
const TEXT_TYPE = 'text/plain; charset=utf-8'

/** A running server. */
export interface Dashboard {
  /** The address of the page, with its token. Whoever has it sees what the user may see. */
  readonly url: string
  close(): Promise<void>
}

export interface DashboardOptions {
  readonly data: DashboardData
  readonly files: PageFiles
  /** 0 for any free one. */
  readonly port: number
}

/** @throws Error of the port */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const token = randomBytes(24).toString('base64url')
  const strangers = new Set<Socket>()
  const server = createServer({ maxHeaderSize: 8 * 1024 }, (request, response) => {
    request.resume()
    const admitted = admit(request, token)
    if ('code' in admitted) {
      send(response, { code: admitted.code, type: TEXT_TYPE, body: `${admitted.message}\n` })
      return
    }
    strangers.delete(request.socket)
    answer(admitted, options).then(
      (found) => send(response, found ?? MISSING),
      (error: unknown) =>
        send(response, { code: 500, type: TEXT_TYPE, body: `${messageOf(error)}\n` }),
    )
  })
  server.on('connection', (socket) => {
    strangers.add(socket)
    socket.once('close', () => strangers.delete(socket))
    // The oldest gives way: a browser sends its request at once.
    const [oldest] = strangers
    if (strangers.size > MAX_STRANGERS) oldest?.destroy()
  })
  server.maxConnections = MAX_CONNECTIONS
  server.requestTimeout = 10_000
  const port = await listen(server, options.port)
  return {
    url: `http://127.0.0.1:${port}/${token}/`,
    close: async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      server.closeAllConnections()
      await promise
    },
  }
}

async function listen(server: Server, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', (error) => reject(new Error(whyNot(error, port), { cause: error })))
  server.listen(port, '127.0.0.1', resolve)
  await promise
  server.removeAllListeners('error')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

function whyNot(error: NodeJS.ErrnoException, port: number): string {
  const isTaken = error.code === 'EADDRINUSE'
  const reason = isTaken ? 'another program uses it; choose another with --port' : error.message
  return `Cannot listen on port ${port} of 127.0.0.1: ${reason}`
}

interface Found {
  readonly code: number
  readonly type: string
  readonly body: string
}

const MISSING: Found = { code: 404, type: TEXT_TYPE, body: 'not found\n' }

/** @returns `undefined` if there is nothing at this path */
async function answer(
  { path, query }: { readonly path: string; readonly query: URLSearchParams },
  { data, files }: DashboardOptions,
): Promise<Found | undefined> {
  const file = files.get(path === '' ? 'index.html' : path)
  if (file !== undefined) return { code: 200, type: file.type, body: file.text }
  const subject = subjectIn(query)
  if (subject === undefined) return undefined
  switch (path) {
    case 'data/start':
      return json(data.start)
    case 'data/list':
      return json(await data.list())
    case 'data/state':
      return json(await data.state(subject))
    case 'data/hpa': {
      const metric = query.get('metric') ?? ''
      if (metric === '' || metric.length > MAX_METRIC_LENGTH) return undefined
      return json(await data.hpa(subject, metric))
    }
    default:
      return undefined
  }
}

function json(value: unknown): Found {
  return { code: 200, type: JSON_TYPE, body: JSON.stringify(value) }
}

/** @returns `null` if none is named; `undefined` if the names are none: they become arguments of kubectl */
function subjectIn(query: URLSearchParams): Subject | null | undefined {
  const [namespace, name] = [query.get('namespace'), query.get('name')]
  if (namespace === null && name === null) return null
  if (namespace === null || name === null) return undefined
  const problem = problemOfName(namespace) ?? problemOfName(name)
  return problem === undefined ? { namespace, name } : undefined
}

function send(response: ServerResponse, { code, type, body }: Found): void {
  response.writeHead(code, { ...HEADERS, 'Content-Type': type })
  response.end(body)
}
