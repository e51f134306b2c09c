// HTTPS to the API server: keeps connections open, refreshes credentials, limits the time and length of each call. Knows
// no kinds of objects and no verbs of the API.
import type { IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import { messageOf } from '#serving/text.ts'
import { TLS_POLICY } from '#serving/tls-policy.ts'
import { Turns } from './turns.ts'

/** An API server that takes longer counts as not reachable. */
const CALL_TIMEOUT_MS = 5_000

/** How long credentials are used before they are read again. The kubelet replaces tokens long before they expire. */
const CREDENTIALS_LIFE_MS = 60_000

/** The largest object that is read is a pod. etcd stores at most 1.5 MiB of one. */
const MAX_ANSWER_BYTES = 8 * 2 ** 20

/**
 * Longer answers are read one at a time. Users choose how large their objects are, and how many are asked for at once: an
 * answer takes several times its length while it is parsed. Objects that are not meant to be large are shorter.
 */
const SHORT_ANSWER_BYTES = 128 * 2 ** 10

/** A call that the API server refused, or that had no answer. */
export class ClusterError extends Error {
  /** HTTP status; 0 if there was no answer. */
  readonly code: number

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ClusterError'
    this.code = code
  }
}

/** Statuses after which the same call may succeed in a moment: too many calls, a defect, a server that starts or stops. */
const TRANSIENT_CODES = [0, 429, 500, 502, 503, 504]

export function isTransient(error: unknown): boolean {
  return error instanceof ClusterError && TRANSIENT_CODES.includes(error.code) && !isTooLong(error)
}

/** The cause of a {@link ClusterError}: a list must be read in smaller parts. */
export class AnswerTooLong extends Error {
  constructor(maxBytes: number) {
    super(`it has more than ${maxBytes} bytes`)
    this.name = 'AnswerTooLong'
  }
}

/** Whether the object is at fault, and not the API server: the same call would fail again. */
export function isTooLong(error: unknown): boolean {
  return error instanceof ClusterError && error.cause instanceof AnswerTooLong
}

/** An answer of any status with its body parsed; `{}` if the body is not a JSON object. */
export interface ApiAnswer {
  readonly code: number
  readonly body: Readonly<Record<string, unknown>>
}

/** Adds the CA of the API server and the credentials of the client to the options of a request. */
export type ApplyCredentials = (options: RequestOptions) => Promise<void>

/** The credentials of calls, until they are refreshed. */
interface Credentials {
  readonly agent: Agent
  readonly headers: RequestOptions['headers']
  readonly auth: string | null | undefined
  /** When they are read again, in milliseconds of a monotonic clock. */
  readonly until: number
  /** Identifies the TLS options that the agent was created with. */
  readonly fingerprint: string
}

interface Sent {
  readonly text: string | undefined
  readonly contentType: string
  readonly accept: string
}

/** The connection to one API server. */
export class ApiConnection {
  readonly #server: URL
  readonly #applyCredentials: ApplyCredentials
  readonly #timeoutMs: number
  readonly #longAnswers = new Turns()
  #credentials: Credentials | undefined
  /** Calls at one time share it: each would create an agent, and no call would close its connections. */
  #refreshing: Promise<Credentials> | undefined

  /** @param server its URL, which may have a path in front of the API's paths */
  constructor(
    server: string,
    applyCredentials: ApplyCredentials,
    { timeoutMs = CALL_TIMEOUT_MS } = {},
  ) {
    this.#server = new URL(server)
    this.#applyCredentials = applyCredentials
    this.#timeoutMs = timeoutMs
  }

  /**
   * Makes one call.
   *
   * @param path in the API, with its query
   * @throws ClusterError with code 0 if there is no answer in time
   */
  async call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH',
    path: string,
    {
      body,
      contentType = 'application/json',
      accept = 'application/json',
      maxBytes = MAX_ANSWER_BYTES,
    }: { body?: object; contentType?: string; accept?: string; maxBytes?: number } = {},
  ): Promise<ApiAnswer> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const response = await this.#send(method, path, { text, contentType, accept })
    const { statusCode: code = 0 } = response
    // After a refused token, the credentials are read again for the next call.
    if (code === 401 && this.#credentials !== undefined) {
      this.#credentials = { ...this.#credentials, until: Number.NEGATIVE_INFINITY }
    }
    return { code, body: await this.#read(response, maxBytes) }
  }

  async #send(method: string, path: string, sent: Sent): Promise<IncomingMessage> {
    const { text, contentType, accept } = sent
    const { agent, headers, auth } = await this.#refreshed()
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const call = request(this.#server, {
      method,
      path: `${this.#server.pathname.replace(/\/$/, '')}${path}`,
      agent,
      auth,
      headers: {
        ...headers,
        Accept: accept,
        ...(text !== undefined && {
          'Content-Type': contentType,
          'Content-Length': Buffer.byteLength(text),
        }),
      },
    })
    const timer = setTimeout(() => call.destroy(this.#late()), this.#timeoutMs)
    call.once('close', () => clearTimeout(timer))
    call.once('response', resolve)
    call.once('error', (cause) => {
      // The server closed the connection before it saw the call. Each attempt uses up one such connection.
      if (method === 'GET' && call.reusedSocket && isReset(cause)) {
        resolve(this.#send(method, path, sent))
      } else reject(callError('Cannot reach the API server', cause))
    })
    call.end(text)
    return promise
  }

  async #read(response: IncomingMessage, maxBytes: number): Promise<ApiAnswer['body']> {
    const chunks: Buffer[] = []
    let length = 0
    let end: (() => void) | undefined
    try {
      for await (const chunk of response) {
        length += chunk.length
        if (length > maxBytes) throw new AnswerTooLong(maxBytes)
        chunks.push(chunk)
        // Until then the rest stays with the server.
        if (length > SHORT_ANSWER_BYTES) end ??= await this.#longAnswers.take()
      }
      return parse(Buffer.concat(chunks, length).toString('utf8'))
    } catch (cause) {
      throw callError('Cannot read the answer of the API server', cause)
    } finally {
      end?.()
    }
  }

  async #refreshed(): Promise<Credentials> {
    const known = this.#credentials
    if (known !== undefined && performance.now() < known.until) return known
    this.#refreshing ??= this.#refresh(known).finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #refresh(known: Credentials | undefined): Promise<Credentials> {
    const options: RequestOptions = { headers: {} }
    try {
      await this.#applyCredentials(options)
    } catch (cause) {
      throw callError('Cannot read the credentials for the API server', cause)
    }
    const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = options
    const tls = { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized }
    const fingerprint = JSON.stringify(Object.values(tls).map(String))
    // Connections are kept when a token changes, but not when the certificate or the CA changes.
    const agent =
      known?.fingerprint === fingerprint
        ? known.agent
        : new Agent({ ...TLS_POLICY, ...withoutUndefined(tls), keepAlive: true })
    if (agent !== known?.agent) known?.agent.destroy()
    const until = performance.now() + CREDENTIALS_LIFE_MS
    const { headers, auth } = options
    this.#credentials = { agent, headers, auth, until, fingerprint }
    return this.#credentials
  }

  #late(): Error {
    return new Error(`no answer in ${this.#timeoutMs} ms`)
  }
}

function isReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

/** Node treats a TLS option that is `undefined` differently from one that is absent. */
function withoutUndefined<T extends object>(options: T): Partial<T> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.assign({}, ...entries.map(([name, value]) => ({ [name]: value })))
}

function callError(what: string, cause: unknown): ClusterError {
  return new ClusterError(0, `${what}: ${messageOf(cause)}`, { cause })
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  } catch {
    return {}
  }
}
