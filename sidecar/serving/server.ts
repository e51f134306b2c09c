// The HTTPS server under an app: TLS, limits, what is not HTTP, and a graceful end. Knows nothing of what is served.
import { constants } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { type AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TlsOptions } from 'node:tls'
import type { Logger } from './log.ts'
import {
  badRequest,
  headersTooLarge,
  requestTimeout,
  type StatusError,
  tooManyRequests,
} from './status.ts'
import type { Credentials } from './tls.ts'

/** Bounds on what clients may take of us. */
export interface ServerLimits {
  /** All headers of a request, in bytes. The aggregator's are under 2 KiB. */
  readonly headerBytes: number
  readonly handshakeMs: number
  readonly headersMs: number
  readonly requestMs: number
  /** How long an unused connection is kept: longer than the aggregator's 90 s, so that it is never the one to lose. */
  readonly keepAliveMs: number
  /**
   * How long nothing may move on a connection with a request: longer than reviews (3 s), certificates and the aggregator's
   * probes (5 s) are waited for; metrics come from memory. Node takes a half-written answer for moving the first time that
   * it looks: who does not read is gone after twice this, still within the 60 s after which an API server gives up.
   */
  readonly stallMs: number
  /** How often the time limits are checked. */
  readonly checkMs: number
  readonly concurrentRequests: number
  readonly connections: number
}

const DEFAULT_LIMITS: ServerLimits = {
  headerBytes: 16 * 1024,
  handshakeMs: 5_000,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 100_000,
  stallMs: 15_000,
  checkMs: 1_000,
  concurrentRequests: 200,
  connections: 1_000,
}

export interface HttpsServerOptions {
  readonly handler: RequestListener
  readonly credentials: Credentials
  readonly log: Logger
  /** Paths that are answered even under overload: a kubelet that gets no answer kills the container. */
  readonly unlimitedPaths?: readonly string[]
  /** Whether the handler reads the bodies of requests, with a bound of its own. Otherwise no byte of one is read. */
  readonly readsBodies?: boolean
  /** Whether clients are asked for a certificate although there is no CA for theirs yet. */
  readonly expectsClientCa?: boolean
  readonly limits?: Partial<ServerLimits>
}

/** What a connection is busy with. A client may send requests before the answers to those before. */
interface Use {
  /** The last one, until it is closed. */
  response: ServerResponse | undefined
  unanswered: number
}

/** An HTTPS server, HTTP/1.1 over TLS 1.2 or later. */
export class HttpsServer {
  readonly #server: Server
  readonly #handler: RequestListener
  readonly #limits: ServerLimits
  readonly #unlimited: ReadonlySet<string>
  readonly #readsBodies: boolean
  #clientCa: string | undefined
  #active = 0
  /**
   * What each connection is busy with. Entries stay as long as their connection: a set that responses enter and leave
   * grows new tables all the time, and its garbage doubled our p99.
   */
  readonly #uses = new Map<Socket, Use>()
  /** Every TCP connection by its peer, those still in their handshake included. */
  readonly #connections = new Map<string, Socket>()
  #draining = false

  constructor(options: HttpsServerOptions) {
    const { handler, credentials, log, expectsClientCa = false } = options
    this.#handler = handler
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#unlimited = new Set(options.unlimitedPaths)
    this.#readsBodies = options.readsBodies ?? false
    this.#clientCa = credentials.clientCa
    this.#server = createServer({
      ...contextOf(credentials),
      ALPNProtocols: ['http/1.1'],
      // Clients without a certificate may ask for their health; who may do what else is the app's decision.
      requestCert: credentials.clientCa !== undefined || expectsClientCa,
      rejectUnauthorized: false,
      handshakeTimeout: this.#limits.handshakeMs,
      maxHeaderSize: this.#limits.headerBytes,
      headersTimeout: this.#limits.headersMs,
      requestTimeout: this.#limits.requestMs,
      keepAliveTimeout: this.#limits.keepAliveMs,
      connectionsCheckingInterval: this.#limits.checkMs,
    })
    this.#server.maxConnections = this.#limits.connections
    this.#server.timeout = this.#limits.stallMs
    this.#server.on('connection', (socket) => {
      if (socket instanceof Socket) this.#remember(socket)
    })
    this.#server.on('request', (request, response) => this.#handle(request, response))
    this.#server.on('upgrade', (_request, socket) =>
      refuse(socket, badRequest('Cannot upgrade the connection: only HTTP/1.1 is served here')),
    )
    this.#server.on('connect', (_request, socket) =>
      refuse(socket, badRequest('Cannot CONNECT: this is no proxy')),
    )
    this.#server.on('clientError', (error, socket) => refuse(socket, statusOf(error)))
    this.#server.on('tlsClientError', (err) => log.debug({ err }, 'TLS handshake failed'))
    this.#server.on('error', (err) => log.error({ err }, 'server failed'))
  }

  /**
   * Begins to serve.
   *
   * @param options.port 0 for any free one
   * @param options.address default: all addresses
   * @throws Error that says what to do if the port is taken or forbidden
   */
  async listen(options: {
    readonly port: number
    readonly address?: string | undefined
  }): Promise<AddressInfo> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject)
    this.#server.listen({ port: options.port, host: options.address }, resolve)
    try {
      await promise
    } catch (cause) {
      throw new Error(`Cannot listen on port ${options.port}: ${whyNot(cause)}`, { cause })
    } finally {
      this.#server.removeListener('error', reject)
    }
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('Cannot tell the port')
    return address
  }

  /**
   * Uses other credentials from the next connection on. If the client CA is another one, all connections made under
   * the old one end: the busy with their answer, the others at once, whether idle, new, in their handshake or in the
   * middle of sending a request.
   */
  update(credentials: Credentials): void {
    this.#server.setSecureContext(contextOf(credentials))
    if (credentials.clientCa === this.#clientCa) return
    this.#clientCa = credentials.clientCa
    this.#forgetClients()
  }

  /** Stops accepting, lets requests end, and closes what is left after `deadlineMs`. */
  async drain(deadlineMs = 5_000): Promise<void> {
    this.#draining = true
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#closeAfterAnswers()
    const timer = setTimeout(() => {
      // Node's own closeAllConnections does not know connections that are still in their handshake.
      for (const socket of this.#connections.values()) socket.destroy()
    }, deadlineMs)
    await promise
    clearTimeout(timer)
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    this.#count(request.socket, response)
    if (this.#draining) response.shouldKeepAlive = false
    if (!this.#readsBodies && hasBody(request)) {
      response.shouldKeepAlive = false
      response.once('finish', () => request.destroy())
    }
    const overload = this.#active > this.#limits.concurrentRequests
    if (overload && !this.#unlimited.has(request.url ?? '')) {
      const status = tooManyRequests(
        `Cannot take more than ${this.#limits.concurrentRequests} requests at once`,
      )
      response.writeHead(status.code, { 'content-type': 'application/json' })
      response.end(JSON.stringify(status.toStatus()))
      return
    }
    this.#handler(request, response)
  }

  #count(socket: Socket, response: ServerResponse): void {
    const use = this.#uses.get(socket) ?? this.#open(socket)
    this.#active += 1
    use.unanswered += 1
    use.response = response
    response.once('close', () => {
      if (use.response === response) use.response = undefined
      // Its connection may be gone, and this counted with it.
      if (use.unanswered === 0) return
      this.#active -= 1
      use.unanswered -= 1
    })
  }

  #open(socket: Socket): Use {
    const use: Use = { response: undefined, unanswered: 0 }
    this.#uses.set(socket, use)
    socket.once('close', () => {
      this.#uses.delete(socket)
      // Node closes no answer that waits behind another on a connection that asks for an upgrade.
      this.#active -= use.unanswered
      use.unanswered = 0
    })
    return use
  }

  #remember(socket: Socket): void {
    const peer = peerOf(socket)
    this.#connections.set(peer, socket)
    socket.once('close', () => {
      // The same port may already be a newer connection's.
      if (this.#connections.get(peer) === socket) this.#connections.delete(peer)
    })
  }

  /** Node counts as idle only what has answered before: it would leave new connections, verified by the old CA. */
  #forgetClients(): void {
    const busy = new Set<string>()
    for (const [socket, { response }] of this.#uses) {
      if (response === undefined) continue
      busy.add(peerOf(socket))
      response.shouldKeepAlive = false
      // Too late for the header if it is out already; the connection ends all the same.
      response.once('close', () => socket.destroySoon())
    }
    for (const [peer, socket] of this.#connections) if (!busy.has(peer)) socket.destroy()
  }

  #closeAfterAnswers(): void {
    for (const { response } of this.#uses.values()) {
      if (response !== undefined) response.shouldKeepAlive = false
    }
    this.#server.closeIdleConnections()
  }
}

function contextOf({ cert, key, clientCa }: Credentials): TlsOptions {
  return {
    cert,
    key,
    // Without a CA of our own, no client certificate may count as verified: not one of the system's authorities'.
    ca: clientCa ?? [],
    minVersion: 'TLSv1.2',
    // A resumed session would carry the verification of a client from before the CA changed.
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
}

/** What the two ends of a connection have in common: a TLS socket has no public way to the TCP socket under it. */
function peerOf({ localAddress, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`
}

/** What takes no body does not read one to its end. */
function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function statusOf(error: Error): StatusError | undefined {
  switch (codeOf(error)) {
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

function whyNot(error: unknown): string {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return 'another program uses it; choose another with LISTEN_PORT'
    case 'EACCES':
      return 'it is reserved for root; choose one from 1024 on with LISTEN_PORT'
    case 'EADDRNOTAVAIL':
      return 'LISTEN_ADDRESS is no address of this machine'
    default:
      return error instanceof Error ? error.message : String(error)
  }
}
