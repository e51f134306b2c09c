// HTTPS to the API server: limits the time and length of each call. Knows no kinds of objects and no verbs of the API.
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { Readable } from 'node:stream'
import { readBoundedText } from '#serving/bounded-text.ts'
import { OneAtATime } from '#serving/limits/one-at-a-time.ts'
import { messageOf } from '#serving/text.ts'
import { ApiCredentials, type ApplyCredentials } from './api-credentials.ts'

/** An API server that takes longer counts as not reachable. */
const CALL_TIMEOUT_MS = 5_000

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

/** The cause of a {@link ClusterError}: the answer was not complete in time. */
export class LateAnswer extends Error {
  constructor(timeoutMs: number) {
    super(`no answer in ${timeoutMs} ms`)
    this.name = 'LateAnswer'
  }
}

/** Whether the same list may be answered in smaller parts: an API server is at work on a hundred large objects for seconds. */
export function isTooMuch(error: unknown): boolean {
  return isTooLong(error) || (error instanceof ClusterError && error.cause instanceof LateAnswer)
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

/** An answer that refuses a stream is a `Status`, which is short. */
const MAX_REFUSAL_BYTES = 64 * 2 ** 10

interface Sent {
  readonly text: string | undefined
  readonly contentType: string
  readonly accept: string
}

/** The connection to one API server. */
export class ApiConnection {
  readonly #server: URL
  readonly #credentials: ApiCredentials
  readonly #timeoutMs: number
  readonly #userAgent: string
  readonly #longAnswers = new OneAtATime()

  /**
   * @param server its URL, which may have a path in front of the API's paths
   * @param userAgent of the calls, such as `flux-metrics-webhook/0.2.0`: in the API server's audit log, and, without its version,
   * the manager of the fields that are written
   */
  constructor(
    server: string,
    applyCredentials: ApplyCredentials,
    userAgent: string,
    { timeoutMs = CALL_TIMEOUT_MS } = {},
  ) {
    this.#server = new URL(server)
    this.#credentials = new ApiCredentials(applyCredentials)
    this.#userAgent = userAgent
    this.#timeoutMs = timeoutMs
  }

  /**
   * Makes one call.
   *
   * @param path in the API, with its query
   * @throws ClusterError with code 0 if there is no answer in time
   */
  async call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
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
    return { code: response.statusCode ?? 0, body: await this.#read(response, maxBytes) }
  }

  /**
   * Opens an answer that has no end of its own. Only its beginning is limited in time.
   *
   * @returns the bytes, which the caller reads or destroys
   * @throws ClusterError with the code of any answer but 200
   */
  async open(path: string): Promise<Readable> {
    const sent = { text: undefined, contentType: '', accept: 'application/json' }
    const response = await this.#send('GET', path, sent, { isEndless: true })
    const { statusCode: code = 0 } = response
    if (code === 200) return response
    throw refusalOf({ code, body: await this.#read(response, MAX_REFUSAL_BYTES) })
  }

  async #send(
    method: string,
    path: string,
    sent: Sent,
    { isEndless = false } = {},
  ): Promise<IncomingMessage> {
    const { text, contentType, accept } = sent
    const { agent, headers, auth } = await this.#current()
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const call = request(this.#server, {
      method,
      path: `${this.#server.pathname.replace(/\/$/, '')}${path}`,
      agent,
      auth,
      headers: {
        ...headers,
        Accept: accept,
        'User-Agent': this.#userAgent,
        ...(text !== undefined && {
          'Content-Type': contentType,
          'Content-Length': Buffer.byteLength(text),
        }),
      },
    })
    let begun: IncomingMessage | undefined
    const timer = setTimeout(() => {
      const late = new LateAnswer(this.#timeoutMs)
      // The call alone would end the answer with "aborted".
      begun?.destroy(late)
      call.destroy(late)
    }, this.#timeoutMs)
    call.once('close', () => clearTimeout(timer))
    call.once('response', (response) => {
      begun = response
      if (response.statusCode === 401) this.#credentials.expire()
      if (isEndless && response.statusCode === 200) clearTimeout(timer)
      resolve(response)
    })
    call.once('error', (cause) => {
      // The server closed the connection before it saw the call. Each attempt uses up one such connection.
      if (method === 'GET' && call.reusedSocket && isReset(cause)) {
        resolve(this.#send(method, path, sent, { isEndless }))
      } else reject(callError('Cannot reach the API server', cause))
    })
    call.end(text)
    return promise
  }

  async #read(response: IncomingMessage, maxBytes: number): Promise<ApiAnswer['body']> {
    let end: (() => void) | undefined
    const begin = async () => {
      end = await this.#longAnswers.take()
    }
    try {
      const text = await readBoundedText(response, maxBytes, { bytes: SHORT_ANSWER_BYTES, begin })
      if (text === undefined) throw new AnswerTooLong(maxBytes)
      return parse(text)
    } catch (cause) {
      throw callError('Cannot read the answer of the API server', cause)
    } finally {
      end?.()
    }
  }

  async #current() {
    try {
      return await this.#credentials.current()
    } catch (cause) {
      throw callError('Cannot read the credentials for the API server', cause)
    }
  }
}

function isReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

/** A failure without an answer. */
export function callError(what: string, cause: unknown): ClusterError {
  return new ClusterError(0, `${what}: ${messageOf(cause)}`, { cause })
}

/** The error of an answer that is no success, with the message of its meta/v1 `Status`. */
export function refusalOf({ code, body }: ApiAnswer): ClusterError {
  const { message } = body
  const why = typeof message === 'string' ? message : 'the answer has no message'
  return new ClusterError(code, `The API server answered ${code}: ${why}`)
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  } catch {
    return {}
  }
}
