// What an HTTPS server says to those it does not let through to its app: what is not HTTP/1.1, and one request too many. What
// the app itself refuses is failure.ts's.
import type { ServerResponse } from 'node:http'
import type { Server } from 'node:https'
import type { Duplex } from 'node:stream'
import {
  badRequest,
  headersTooLarge,
  requestTimeout,
  type StatusError,
  tooManyRequests,
} from '../status.ts'

/** Has a server refuse whatever is no request to answer, and end its connection. */
export function refuseAllButRequests(server: Server): void {
  server.on('upgrade', (_request, socket) =>
    refuse(socket, badRequest('Cannot upgrade the connection: only HTTP/1.1 is served here')),
  )
  server.on('connect', (_request, socket) =>
    refuse(socket, badRequest('Cannot CONNECT: this is no proxy')),
  )
  server.on('clientError', (error, socket) => refuse(socket, statusOf(error)))
}

/** Answers a request that is one too many. */
export function refuseOverload(response: ServerResponse, concurrentRequests: number): void {
  const status = tooManyRequests(`Cannot take more than ${concurrentRequests} requests at once`)
  response.writeHead(status.code, { 'content-type': 'application/json' })
  response.end(JSON.stringify(status.toStatus()))
}

/** @returns `undefined` if nobody is there to be told */
function statusOf(error: Error): StatusError | undefined {
  switch ('code' in error && error.code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return undefined
    case 'HPE_HEADER_OVERFLOW':
      return headersTooLarge('Cannot read the request: its headers are too large')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return requestTimeout('Cannot wait longer for the request')
    default:
      return badRequest('Cannot read the request: it is not HTTP/1.1')
  }
}

/** Answers on the bare connection, and ends it. */
function refuse(socket: Duplex, status: StatusError | undefined): void {
  socket.on('error', () => {})
  // What has been upgraded is no longer Node's to close when it stalls.
  socket.on('timeout', () => socket.destroy())
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
