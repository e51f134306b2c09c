// The HTTPS server under an app: TLS, which requests reach the app, and a graceful end. Knows nothing of what is served.
import { constants } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { type AddressInfo, Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import type { Logger } from '../log.ts'
import { Connections } from './connections.ts'
import { DEFAULT_LIMITS, type ServerLimits } from './limits.ts'
import { refuseAllButRequests, refuseOverload } from './refusals.ts'
import type { Credentials } from './tls.ts'

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

/** An HTTPS server, HTTP/1.1 over TLS 1.2 or later. */
export class HttpsServer {
  readonly #server: Server
  readonly #handler: RequestListener
  readonly #limits: ServerLimits
  readonly #unlimited: ReadonlySet<string>
  readonly #readsBodies: boolean
  readonly #connections = new Connections()
  #clientCa: string | undefined
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
      if (socket instanceof Socket) this.#connections.remember(socket)
    })
    this.#server.on('request', (request, response) => this.#handle(request, response))
    refuseAllButRequests(this.#server)
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
    this.#connections.forgetClients()
  }

  /** Stops accepting, lets requests end, and closes what is left after `deadlineMs`. */
  async drain(deadlineMs = 5_000): Promise<void> {
    this.#draining = true
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#connections.endAfterAnswers()
    this.#server.closeIdleConnections()
    const timer = setTimeout(() => this.#connections.destroyAll(), deadlineMs)
    await promise
    clearTimeout(timer)
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    this.#connections.count(request.socket, response)
    if (this.#draining) response.shouldKeepAlive = false
    if (!this.#readsBodies && hasBody(request)) {
      response.shouldKeepAlive = false
      response.once('finish', () => request.destroy())
    }
    const { concurrentRequests } = this.#limits
    const overload = this.#connections.unanswered > concurrentRequests
    if (overload && !this.#unlimited.has(request.url ?? '')) {
      refuseOverload(response, concurrentRequests)
    } else {
      this.#handler(request, response)
    }
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

/** What takes no body does not read one to its end. */
function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  switch ('code' in error && error.code) {
    case 'EADDRINUSE':
      return 'another program uses it; choose another with LISTEN_PORT'
    case 'EACCES':
      return 'it is reserved for root; choose one from 1024 on with LISTEN_PORT'
    case 'EADDRNOTAVAIL':
      return 'LISTEN_ADDRESS is no address of this machine'
    default:
      return error.message
  }
}
