// The answers of an HTTPS server that never reach its app: to anything that is not HTTP/1.1, and to a request above the
// limit. Errors of the app are answered in ../failure.ts.
import type { Server as PlainServer, ServerResponse } from 'node:http'
import type { Server } from 'node:https'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  badRequest,
  headersTooLarge,
  requestTimeout,
  type StatusError,
  tooManyRequests,
} from '../status.ts'
import type { GroupLimits } from './limits.ts'

/** How long a client may take for a refusal, and for the answers before it. */
const REFUSAL_MS = 5_000

/** Makes a server refuse everything that is not a complete HTTP/1.1 request, and close the connection. */
export function refuseAllButRequests(server: PlainServer | Server): void {
  server.on('upgrade', (_request, socket) =>
    answerAndClose(
      socket,
      badRequest('Cannot upgrade the connection: only HTTP/1.1 is served here'),
    ),
  )
  server.on('connect', (_request, socket) =>
    answerAndClose(socket, badRequest('Cannot CONNECT: this server is not a proxy')),
  )
  server.on('clientError', (error, socket) => answerAndClose(socket, statusOf(error)))
}

/** Answers a request that is above a limit of unanswered requests. */
export function refuseOverload(response: ServerResponse, limits: GroupLimits): void {
  const { requests, peerRequests } = limits
  const status = tooManyRequests(
    `Cannot take more than ${requests} requests at once, or ${peerRequests} of one address`,
  )
  response.writeHead(status.code, { 'content-type': 'application/json' })
  response.end(JSON.stringify(status.toStatus()))
}

/** @returns `undefined` if the client has closed the connection: there is nothing to answer */
function statusOf(error: Error): StatusError | undefined {
  const code = 'code' in error ? error.code : error.name
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return undefined
    case 'HPE_HEADER_OVERFLOW':
      return headersTooLarge('Cannot read the request: its headers are too large')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return requestTimeout('Cannot read the request: it was not complete in time')
    default:
      return badRequest(`Cannot read the request: it is not HTTP/1.1 (${code})`)
  }
}

/** Writes an answer to the connection itself, and closes it: in these cases Node has no response object. */
function answerAndClose(socket: Duplex, status: StatusError | undefined): void {
  socket.on('error', () => {})
  // No time limit of Node's applies any more, and a client may not read its earlier answers.
  if (socket instanceof Socket) socket.setTimeout(REFUSAL_MS, () => socket.destroy())
  if (status === undefined || !socket.writable) {
    socket.destroy()
    return
  }
  const body = JSON.stringify(status.toStatus())
  socket.end(
    `HTTP/1.1 ${status.code} ${status.reason}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}
