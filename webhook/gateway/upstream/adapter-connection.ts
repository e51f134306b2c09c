// Sends requests to an adapter over verified TLS, with the gateway's own token. Judges no answer.
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import type { LookupFunction } from 'node:net'
import { TLSSocket } from 'node:tls'
import { TokenFile } from '#identity/token-file.ts'
import { type Credentials, CredentialWatch, readCredentials } from '#serving/https/tls.ts'
import type { Logger } from '#serving/log.ts'
import { messageOf } from '#serving/text.ts'
import { TLS_POLICY } from '#serving/tls-policy.ts'
import type { UpstreamTarget } from './upstream-target.ts'

/** Time for the TCP and TLS handshakes: the first packet is sent again after one second. */
const CONNECT_MS = 4_000

/** Go servers close unused connections after 90 s, and some load balancers after 60 s. */
const UNUSED_MS = 30_000

export interface ConnectionOptions {
  readonly target: UpstreamTarget
  /** File of the gateway's ServiceAccount token. The kubelet replaces it. */
  readonly tokenFile: string
  readonly log: Logger
  /** Finds the address of the Service; default: DNS. */
  readonly lookup?: LookupFunction | undefined
}

export interface Call {
  /** Path and query. */
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  /** From now to the last byte of the answer. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export class AdapterConnection {
  readonly #options: ConnectionOptions
  readonly #token: TokenFile
  /** `undefined` until there is a CA. */
  #agent: Agent | undefined
  #problem: string | undefined
  #watch: CredentialWatch | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#token = new TokenFile(options.tokenFile)
  }

  /** Reads the CA. One that cannot be read is no error: it may be good later. */
  async start(): Promise<void> {
    const { target, log } = this.#options
    if (target.caFile === undefined) {
      this.#agent = this.#createAgent({ rejectUnauthorized: false })
      return
    }
    const files = { clientCa: target.caFile }
    const onChange = ({ clientCa: ca }: Partial<Credentials>) => this.#use(ca)
    let current: Partial<Credentials> | undefined
    try {
      current = await readCredentials(files)
      onChange(current)
    } catch (err) {
      this.#problem = messageOf(err)
      log.error({ err }, 'cannot read the CA of the adapter')
    }
    this.#watch = new CredentialWatch({ files, current, problem: this.#problem, onChange, log })
  }

  close(): void {
    this.#watch?.close()
    this.#agent?.destroy()
  }

  /**
   * Sends GET once, or once more if the connection fails before an answer: adapters change nothing at GET.
   *
   * @returns the answer as its headers have come. Its body fails when the time is up
   * @throws Error of the file system, of the connection or of TLS
   */
  async send(call: Call): Promise<IncomingMessage> {
    const deadline = performance.now() + call.timeoutMs
    try {
      return await this.#sendOnce(call, deadline)
    } catch (error) {
      if (!isRepeatable(error) || call.signal?.aborted === true) throw error
      // Other unused connections are likely to be closed as well.
      closeUnused(this.#agent)
      return await this.#sendOnce(call, deadline)
    }
  }

  async #sendOnce(call: Call, deadline: number): Promise<IncomingMessage> {
    const { target, lookup } = this.#options
    const token = await this.#token.read()
    if (this.#agent === undefined) throw new Error(this.#watch?.problem ?? 'its CA is not read yet')
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const sent = request({
      host: `${target.service}.${target.namespace}.svc`,
      port: target.port,
      path: call.path,
      headers: { ...call.headers, Authorization: `Bearer ${token}` },
      agent: this.#agent,
      ...(lookup && { lookup }),
      ...(call.signal && { signal: call.signal }),
    })
    const late = () => sent.destroy(new Error(`no whole answer in ${call.timeoutMs / 1000} s`))
    const timer = setTimeout(late, deadline - performance.now())
    sent.once('close', () => clearTimeout(timer))
    sent.once('socket', limitHandshake)
    sent.once('response', resolve)
    sent.on('error', reject)
    sent.end()
    return promise
  }

  /** Uses another CA: connections that the old one verified serve no other request. */
  #use(ca: string | undefined): void {
    const old = this.#agent
    this.#agent = this.#createAgent({ ca: ca ?? [] })
    closeUnused(old)
  }

  #createAgent(trust: { ca: string | [] } | { rejectUnauthorized: false }): Agent {
    return new Agent({ ...TLS_POLICY, ...trust, keepAlive: true, timeout: UNUSED_MS })
  }
}

function closeUnused(agent: Agent | undefined): void {
  const unused = Object.values(agent?.freeSockets ?? {}).flatMap((sockets) => sockets ?? [])
  for (const socket of unused) socket.destroy()
}

function limitHandshake(socket: unknown): void {
  if (!(socket instanceof TLSSocket) || !socket.connecting) return
  const late = Object.assign(new Error('no TLS handshake in time'), { code: 'ETIMEDOUT' })
  const timer = setTimeout(() => socket.destroy(late), CONNECT_MS)
  socket.once('secureConnect', () => clearTimeout(timer))
  socket.once('close', () => clearTimeout(timer))
}

/** The adapter was not there, or has closed the connection before it answered: another of its pods may be there. */
function isRepeatable(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE'
}
