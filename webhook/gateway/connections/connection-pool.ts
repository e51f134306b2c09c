// The connections to one peer. A request gets a connection only after the peer has proved who it is: nothing is sent to
// anybody else. Used connections are kept for the next requests.
import { X509Certificate } from 'node:crypto'
import { Agent, type ClientRequestArgs } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { Duplex } from 'node:stream'
import {
  connect,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import { quote } from '#serving/text.ts'
import { TLS_POLICY } from '#serving/tls-policy.ts'
import type { Peer } from '../peers/peer.ts'
import type { ConnectionLimit } from './connection-limit.ts'
import type { Handshakes } from './handshakes.ts'
import { handshakeFailure, OTHER_NAME } from './peer-failure.ts'

/** How the gateway shows who it is, and the CA (PEM, one or more) that sidecars must be certified by. */
export interface ClientCredentials {
  /** PEM, perhaps with its chain. */
  readonly cert: string
  readonly key: string
  readonly ca: string
}

/** Less than the 100 s after which a sidecar closes an unused connection (serving/https/limits.ts). */
const IDLE_MS = 90_000

/** An HPA sends one question after the other. A TLS connection takes tens of KiB, on both sides. */
const IDLE_CONNECTIONS = 2

/** A handshake takes milliseconds, or a second more if a packet was lost. This ends those that nobody waits for any more. */
const HANDSHAKE_MS = 2_000

/** One context is shared by all connections: reading certificates takes longer than a handshake. */
export function contextOf({ cert, key, ca }: ClientCredentials): SecureContext {
  // Every sidecar speaks TLS 1.3, which has no renegotiation: in 1.2 a server may ask for as many handshakes as it likes.
  return createSecureContext({ cert, key, ca, ...TLS_POLICY, minVersion: 'TLSv1.3' })
}

interface PoolOptions {
  readonly peer: Peer
  /** The DNS name that the peer's certificate must have. */
  readonly name: string
  readonly context: SecureContext
  readonly limit: ConnectionLimit
  readonly handshakes: Handshakes
}

export class ConnectionPool extends Agent {
  readonly #options: PoolOptions
  /** Whether the peer has proved who it is. */
  #isProved = false

  constructor(options: PoolOptions) {
    // The server's own announcement (Keep-Alive: timeout=…) shortens the time, less one second.
    super({ keepAlive: true, timeout: IDLE_MS, maxFreeSockets: IDLE_CONNECTIONS })
    this.#options = options
  }

  /** How many connections wait for a request. */
  get idle(): number {
    return Object.values(this.freeSockets).reduce((sum, { length = 0 } = []) => sum + length, 0)
  }

  /** Closes the unused connections. */
  closeIdle(): void {
    for (const sockets of Object.values(this.freeSockets)) {
      for (const socket of [...(sockets ?? [])]) socket.destroy()
    }
  }

  /** Closes all connections: the busy ones after their answer. */
  retire(): void {
    this.maxFreeSockets = 0
    this.closeIdle()
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback?: (error: Error | null, connection: Duplex) => void,
  ): undefined {
    const { peer, handshakes } = this.#options
    const shakeHands = () => this.#shakeHands()
    const connected = this.#isProved ? shakeHands() : handshakes.run(peer, shakeHands)
    connected.then(
      (socket) => callback?.(null, socket),
      // Node reads no second argument then.
      (error: Error) => callback?.(error, new Duplex()),
    )
  }

  async #shakeHands(): Promise<TLSSocket> {
    const { peer, name, context, limit, handshakes } = this.#options
    // A TLS socket does not tell how many bytes its handshake had.
    const tcp = connectTcp({ host: peer.address, port: peer.port, noDelay: true })
    const socket = connect({
      socket: tcp,
      servername: name,
      secureContext: context,
      ALPNProtocols: ['http/1.1'],
      // Not the default, which a variable of the environment changes.
      rejectUnauthorized: true,
      checkServerIdentity: (_host, certificate) => checkName(name, certificate),
    })
    limit.add(peer.namespace, this, socket)
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
    const timer = setTimeout(() => socket.destroy(timedOut()), HANDSHAKE_MS)
    const onError = (error: Error) => {
      clearTimeout(timer)
      // Node's types call it an Error. It is the code of one, and null until there is one.
      const verdict: unknown = socket.authorizationError
      const code = typeof verdict === 'string' ? verdict : undefined
      handshakes.failed(peer, tcp.bytesRead)
      reject(handshakeFailure(peer, error, code))
    }
    socket.once('error', onError)
    socket.once('secureConnect', () => {
      clearTimeout(timer)
      socket.removeListener('error', onError)
      this.#isProved = true
      resolve(socket)
    })
    return promise
  }
}

/** Accepts only the name itself among the alternative names: no wildcard, and nothing of the subject. */
function checkName(name: string, { raw, subjectaltname }: PeerCertificate): Error | undefined {
  const certificate = new X509Certificate(raw)
  const found = certificate.checkHost(name, {
    subject: 'never',
    wildcards: false,
    partialWildcards: false,
  })
  if (found !== undefined) return undefined
  return Object.assign(new Error(`it is for ${quote(subjectaltname ?? 'no name')}`), {
    code: OTHER_NAME,
  })
}

function timedOut(): Error {
  return Object.assign(new Error('the handshake took too long'), { code: 'ETIMEDOUT' })
}
