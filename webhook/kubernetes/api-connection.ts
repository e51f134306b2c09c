// HTTPS to the API server: connections that are kept, credentials that are refreshed, calls that are bounded. Knows
// neither kinds nor verbs.
import type { IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'

/** An API server that takes longer is away, for all that we do. */
const CALL_TIMEOUT_MS = 5_000

/** Tokens of service accounts are written anew long before they end; reading them costs a system call or two. */
const CREDENTIALS_LIFE_MS = 60_000

/** The largest object we read is a pod: etcd takes 1.5 MiB of one. */
const MAX_ANSWER_BYTES = 8 * 2 ** 20

/** A call that the API server refused, or that did not reach it. */
export class ClusterError extends Error {
  /** HTTP status; 0 if there was no answer. */
  readonly code: number

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ClusterError'
    this.code = code
  }
}

/** An answer of any status, its body parsed; `{}` for what is no JSON object. */
export interface ApiAnswer {
  readonly code: number
  readonly body: Readonly<Record<string, unknown>>
}

/** Adds what it takes to reach an API server, and to be somebody to it. */
export type ApplyCredentials = (options: RequestOptions) => Promise<void>

/** What a call is made with, until it is refreshed. */
interface Credentials {
  readonly agent: Agent
  readonly headers: RequestOptions['headers']
  readonly auth: string | null | undefined
  readonly until: number
  /** What the agent was made of. */
  readonly key: string
}

/** One API server. */
export class ApiConnection {
  readonly #server: URL
  readonly #applyCredentials: ApplyCredentials
  readonly #timeoutMs: number
  #credentials: Credentials | undefined

  /** @param server its URL, perhaps with a path before the API's */
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
   * Calls once.
   *
   * @param path of the API, with its query
   * @throws ClusterError with code 0 if there is no answer in time
   */
  async call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH',
    path: string,
    { body, contentType = 'application/json' }: { body?: object; contentType?: string } = {},
  ): Promise<ApiAnswer> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const response = await this.#send(method, path, text, contentType)
    const { statusCode: code = 0 } = response
    // A token that is no good any more is read again for the next call.
    if (code === 401) this.#credentials = undefined
    return { code, body: parse(await this.#read(response)) }
  }

  async #send(
    method: string,
    path: string,
    text: string | undefined,
    contentType: string,
  ): Promise<IncomingMessage> {
    const { agent, headers, auth } = await this.#refreshed()
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const call = request(this.#server, {
      method,
      path: `${this.#server.pathname.replace(/\/$/, '')}${path}`,
      agent,
      auth,
      headers: {
        ...headers,
        Accept: 'application/json',
        ...(text !== undefined && {
          'Content-Type': contentType,
          'Content-Length': Buffer.byteLength(text),
        }),
      },
    })
    const timer = setTimeout(() => call.destroy(this.#late()), this.#timeoutMs)
    call.once('close', () => clearTimeout(timer))
    call.once('response', resolve)
    call.once('error', (cause) => reject(unreachable(cause)))
    call.end(text)
    return promise
  }

  async #read(response: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = []
    let length = 0
    try {
      for await (const chunk of response) {
        length += chunk.length
        if (length > MAX_ANSWER_BYTES) throw new Error(`it has more than ${MAX_ANSWER_BYTES} bytes`)
        chunks.push(chunk)
      }
    } catch (cause) {
      throw new ClusterError(0, `Cannot read the answer of the API server: ${textOf(cause)}`, {
        cause,
      })
    }
    return Buffer.concat(chunks, length).toString('utf8')
  }

  async #refreshed(): Promise<Credentials> {
    const known = this.#credentials
    if (known !== undefined && performance.now() < known.until) return known
    const options: RequestOptions = { headers: {} }
    try {
      await this.#applyCredentials(options)
    } catch (cause) {
      throw new ClusterError(0, `Cannot tell who we are to the API server: ${textOf(cause)}`, {
        cause,
      })
    }
    const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = options
    const tls = { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized }
    const fingerprint = JSON.stringify(Object.values(tls).map(String))
    // Connections outlive tokens, but not the keys that they were made with.
    const agent =
      known?.key === fingerprint ? known.agent : new Agent({ ...given(tls), keepAlive: true })
    if (agent !== known?.agent) known?.agent.destroy()
    const until = performance.now() + CREDENTIALS_LIFE_MS
    const { headers, auth } = options
    this.#credentials = { agent, headers, auth, until, key: fingerprint }
    return this.#credentials
  }

  #late(): Error {
    return new Error(`no answer in ${this.#timeoutMs} ms`)
  }
}

/** Node tells `undefined` from absent. */
function given<T extends object>(options: T): Partial<T> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.assign({}, ...entries.map(([name, value]) => ({ [name]: value })))
}

function unreachable(cause: unknown): ClusterError {
  return new ClusterError(0, `Cannot reach the API server: ${textOf(cause)}`, { cause })
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  } catch {
    return {}
  }
}
