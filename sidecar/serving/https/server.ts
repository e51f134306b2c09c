// The HTTPS server under an app: TLS, the choice of requests that reach the app, and a graceful stop. Does not know what
// is served.
import { constants } from 'node:crypto'
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type Server as PlainServer,
  type RequestListener,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { TLSSocket, type TlsOptions } from 'node:tls'
import type { Logger } from '../log.ts'
import { SERVER_GROUPS, TLS_POLICY } from '../tls-policy.ts'
import { Connections } from './connections.ts'
import { DEFAULT_LIMITS, type ServerLimits } from './limits.ts'
import { listenOn, type Place } from './port.ts'
import { refuseAllButRequests, refuseOverload } from './refusals.ts'
import type { Credentials } from './tls.ts'

const WARN_MS = 60_000

export interface HttpsServerOptions {
  readonly handler: RequestListener
  /** `undefined`: HTTP without TLS, for health and metrics. Probes then cost no handshake, and need no certificate. */
  readonly credentials: Credentials | undefined
  readonly log: Logger
  /** Paths that are answered even under overload: those that the kubelet probes. */
  readonly unlimitedPaths?: readonly string[]
  /** Whether the handler reads the bodies of requests, and limits their length itself. Otherwise no body is read. */
  readonly readsBodies?: boolean
  /** Whether clients are asked for a certificate even before the CA of client certificates is known. */
  readonly expectsClientCa?: boolean
  /**
   * Whether a client is one of those that the server is for, by its certificate. They have limits of their own, and the
   * connections of all others are closed after one answer. Without it nobody is known, and connections are kept.
   */
  readonly knowsClient?: ((client: Socket) => boolean) | undefined
  readonly limits?: Partial<ServerLimits>
}

/** An HTTPS server, HTTP/1.1 over TLS 1.2 or later. Without credentials it has the same limits over TCP alone. */
export class HttpsServer {
  readonly #server: PlainServer | Server
  readonly #handler: RequestListener
  readonly #limits: ServerLimits
  readonly #unlimited: ReadonlySet<string>
  readonly #readsBodies: boolean
  readonly #knowsClient: ((client: Socket) => boolean) | undefined
  readonly #connections: Connections
  readonly #log: Logger
  #clientCa: string | undefined
  #leaving = false
  #sweep: NodeJS.Timeout | undefined
  #warnedAt = Number.NEGATIVE_INFINITY
  #displaced = 0

  constructor(options: HttpsServerOptions) {
    const { handler, credentials, log, expectsClientCa = false } = options
    this.#handler = handler
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#unlimited = new Set(options.unlimitedPaths)
    this.#readsBodies = options.readsBodies ?? false
    this.#knowsClient = options.knowsClient
    // Others may keep their connections, or send bodies.
    const isBounded = this.#knowsClient !== undefined && !this.#readsBodies
    const bound = isBounded ? {} : { strangerBytes: Number.POSITIVE_INFINITY }
    this.#connections = new Connections({ ...this.#limits, ...bound })
    this.#log = log
    this.#clientCa = credentials?.clientCa
    const limits: ServerOptions = {
      maxHeaderSize: this.#limits.headerBytes,
      headersTimeout: this.#limits.headersMs,
      requestTimeout: this.#limits.requestMs,
      keepAliveTimeout: this.#limits.keepAliveMs,
      connectionsCheckingInterval: this.#limits.checkMs,
    }
    this.#server =
      credentials === undefined
        ? createPlainServer(limits)
        : createServer({
            ...limits,
            ...contextOf(credentials),
            ALPNProtocols: ['http/1.1'],
            // Clients without a certificate may probe the health. The app decides what each client may read.
            requestCert: credentials.clientCa !== undefined || expectsClientCa,
            rejectUnauthorized: false,
            handshakeTimeout: this.#limits.handshakeMs,
          })
    this.#vetConnections()
    this.#server.on('secureConnection', (client: TLSSocket) => this.#begin(client))
    const handle = this.#handle.bind(this)
    this.#server.on('request', handle)
    // Node's own answer to an unknown expectation would be outside of all limits: a flood of them starved the health.
    this.#server.on('checkExpectation', handle)
    refuseAllButRequests(this.#server)
    this.#server.on('tlsClientError', (err) => log.debug({ err }, 'TLS handshake failed'))
    this.#server.on('error', (err) => {
      // What fails before is thrown by listen().
      if (this.#server.listening) log.error({ err }, 'server failed')
    })
  }

  /**
   * Starts to serve. After a failure it may be called again.
   *
   * @throws PortInUse, or another Error, that says what to do
   */
  async listen(options: Place): Promise<AddressInfo> {
    await listenOn(this.#server, options)
    this.#sweep = setInterval(() => this.#checkConnections(), this.#limits.checkMs).unref()
    const address = this.#server.address()
    if (address === null || typeof address === 'string')
      throw new Error('Cannot read the port of the server')
    return address
  }

  /**
   * Uses other credentials from the next connection on. If the client CA has changed, all older connections are closed:
   * the busy ones after their answer, the others at once, whether idle, new, in their handshake or in the middle of
   * sending a request.
   */
  update(credentials: Credentials): void {
    if (!('setSecureContext' in this.#server)) return
    this.#server.setSecureContext(contextOf(credentials))
    if (credentials.clientCa === this.#clientCa) return
    this.#clientCa = credentials.clientCa
    this.#connections.forgetClients()
  }

  /**
   * Ends each connection with its next answer, and serves all that come. To be called a while before {@link drain}: a client that
   * writes a request to an idle connection while that is being closed has no answer, and Go repeats no POST.
   */
  leave(): void {
    this.#leaving = true
    this.#connections.endAfterAnswers()
  }

  /** Stops accepting connections, finishes the requests, and closes the connections that are left after `deadlineMs`. */
  async drain(deadlineMs = 5_000): Promise<void> {
    this.leave()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeIdleConnections()
    const timer = setTimeout(() => this.#connections.destroyAll(), deadlineMs)
    await promise
    clearTimeout(timer)
    clearInterval(this.#sweep)
  }

  /** Refuses a connection for which there is no room before anything is spent on its handshake. */
  #vetConnections(): void {
    const begin = this.#server.listeners('connection')
    this.#server.removeAllListeners('connection')
    this.#server.on('connection', (socket: Socket) => {
      if (!this.#connections.accept(socket)) return
      if (!('setSecureContext' in this.#server)) this.#begin(socket)
      for (const listener of begin) listener.call(this.#server, socket)
    })
  }

  /** Requests of a connection are served from now on. */
  #begin(client: Socket): void {
    this.#connections.secure(client, this.#judge(client))
  }

  #judge(client: Socket): 'known' | 'stranger' | 'refused' {
    if (this.#knowsClient?.(client) === true) return 'known'
    const isUnauthorized = client instanceof TLSSocket && !client.authorized
    return isUnauthorized && client.getPeerX509Certificate() !== undefined ? 'refused' : 'stranger'
  }

  /** Closes the connections that are overdue. Says that connections were displaced, once a minute at most. */
  #checkConnections(): void {
    this.#connections.closeOverdue()
    this.#displaced += this.#connections.takeDisplaced()
    const now = performance.now()
    if (this.#displaced === 0 || now - this.#warnedAt < WARN_MS) return
    this.#log.warn({ closed: this.#displaced }, 'too many connections: closed the oldest idle ones')
    this.#warnedAt = now
    this.#displaced = 0
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const admission = this.#connections.admit(request, response)
    if (admission === 'ignore') return
    if (this.#leaving || this.#knowsClient?.(request.socket) === false) {
      this.#connections.endAfterAnswer(request.socket)
    }
    if (!this.#readsBodies && hasBody(request)) {
      this.#connections.endAfterAnswer(request.socket)
      response.once('finish', () => request.destroy())
    }
    if (admission === 'refuse' && !this.#unlimited.has(request.url ?? '')) {
      refuseOverload(response, this.#limits)
    } else {
      this.#handler(request, response)
    }
  }
}

function contextOf({ cert, key, clientCa }: Credentials): TlsOptions {
  return {
    cert,
    key,
    // Without a client CA, no client certificate may count as verified. The default would be the authorities of the system.
    ca: clientCa ?? [],
    ...TLS_POLICY,
    ecdhCurve: SERVER_GROUPS,
    // A resumed session would keep a client verified that an earlier CA had verified. A renegotiation costs a handshake and
    // opens no connection that could be counted.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  }
}

/** Whether a request has a body, which is not read to its end if the handler does not read bodies. */
function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}
