// An HTTPS server on this machine, and clients that break the rules of HTTP.
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connect, TLSSocket } from 'node:tls'
import { HttpsServer, type HttpsServerOptions } from '#serving/https/server.ts'
import { createLogger } from '#serving/log.ts'
import { createAuthority } from '../../support/certificates.ts'

export const authority = await createAuthority('test')

/** The server's certificate and key. */
export const pair = await authority.issue({
  commonName: 'server',
  dns: ['localhost'],
  ips: ['127.0.0.1'],
})

const log = createLogger('silent')

export const sayHello: RequestListener = (_request, response) => response.end('hello')

/** Knows every client with a certificate of {@link authority}. */
export const knowsClient = (client: Socket) => client instanceof TLSSocket && client.authorized

/** Answers with the body. */
export const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => response.end(Buffer.concat(chunks)))
}

export async function serve(
  t: TestContext,
  options: Partial<HttpsServerOptions> & { clientCa?: string } = {},
) {
  const { clientCa, limits, ...rest } = options
  const server = new HttpsServer({
    handler: sayHello,
    credentials: { ...pair, clientCa },
    log,
    unlimitedPaths: ['/livez'],
    limits: { checkMs: 10, ...limits },
    ...rest,
  })
  const { port } = await server.listen({ port: 0, address: '127.0.0.1' })
  t.after(() => server.drain(0))
  return { server, port }
}

export const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
export const UPGRADE =
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
export const GET_LARGE = 'GET /large HTTP/1.1\r\nHost: x\r\n\r\n'

/** Sends text over a TLS connection. @returns all that was received until the connection was closed */
export async function raw(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  socket.write(text)
  await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

export function statusLine(answer: string): string {
  return answer.split('\r\n')[0] ?? ''
}

/** Sends text over a TLS connection, and reads nothing. */
export async function sendUnread(t: TestContext, port: number, text: string): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  socket.write(text)
  return socket
}

/** The limit of tests that would wait for ever if they failed. */
export const WITHIN = { timeout: 20_000 }

/** More than the buffers of both ends of a connection hold. */
export const LARGE = Buffer.alloc(64 * 1024 * 1024)

/**
 * Answers `/large` with {@link LARGE}, and other paths with the port of the client. `closed` resolves when a connection
 * that asked for `/large` is closed.
 */
export function answerLarge() {
  const closed = Promise.withResolvers<void>()
  const handler: RequestListener = ({ url, socket }, response) => {
    if (url === '/large') socket.once('close', () => closed.resolve())
    response.end(url === '/large' ? LARGE : `from ${socket.remotePort}`)
  }
  return { handler, closed: closed.promise }
}
