// Passes requests to an adapter and its answers back, unchanged, as an APIService would; while it is down, 503 at once.
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Context } from 'koa'
import { VERSIONS } from '#api/api-group.ts'
import type { OtherOpenapi } from '#api/documents/openapi-parts.ts'
import type { OtherResources } from '#api/documents/resources.ts'
import { readBoundedText } from '#serving/bounded-text.ts'
import { OneAtATime } from '#serving/limits/one-at-a-time.ts'
import type { Logger } from '#serving/log.ts'
import { badRequest, type StatusError } from '#serving/status.ts'
import { quote } from '#serving/text.ts'
import { Circuit } from '../circuit.ts'
import { AdapterConnection, type ConnectionOptions } from './adapter-connection.ts'
import { adapterUnavailable, reasonOf, tooLong } from './adapter-failure.ts'
import { AdapterOpenapi } from './adapter-openapi.ts'
import { AdapterResources } from './adapter-resources.ts'
import { translateMetricValues } from './metric-values.ts'
import { headersForAdapter, headersForClient, isPassedBack } from './passed-headers.ts'
import type { Upstream } from './upstream.ts'

/** The aggregator waits for 60 s, whoever answers. */
const TIMEOUT_MS = 55_000

/** HPAs are worked on 5 at a time. What a slow adapter may take of our connections and of its own is bounded. */
const MAX_REQUESTS = 64

/** 10,000 pods. Only what is translated is kept in memory. */
const MAX_TRANSLATED_BYTES = 4 * 1024 * 1024

/** Answers about some pods are shorter. */
const LONG_BYTES = 64 * 1024

export interface AdapterOptions extends ConnectionOptions {
  readonly group: string
  readonly versions: readonly string[]
  readonly timeoutMs?: number
  readonly pollMs?: number
  /** Milliseconds of a monotonic clock, for how long the lists of its discovery are kept. */
  readonly now?: () => number
}

/** The adapter of one group. */
export class Adapter implements Upstream {
  readonly #options: AdapterOptions
  readonly #connection: AdapterConnection
  readonly #resources: AdapterResources
  readonly #openapi: AdapterOpenapi
  readonly #circuit = new Circuit({
    clock: () => performance.now(),
    // A client that left early tells nothing about the adapter.
    whyFailed: (error) => (isAbort(error) ? undefined : reasonOf(error)),
  })
  readonly #longAnswers = new OneAtATime()
  readonly #log: Logger
  #requests = 0
  #isRefused = false
  /** Why the last request had no answer; `undefined` if it had one. */
  #failure: string | undefined

  constructor(options: AdapterOptions) {
    const { group, versions, log, pollMs, now } = options
    this.#options = options
    this.#log = log
    this.#connection = new AdapterConnection(options)
    const connection = this.#connection
    this.#resources = new AdapterResources({ group, versions, connection, log, pollMs, now })
    this.#openapi = new AdapterOpenapi({ group, versions, connection, pollMs })
  }

  get group(): string {
    return this.#options.group
  }

  /** What it lists in its discovery. */
  get resources(): OtherResources {
    return this.#resources
  }

  /** What it describes in OpenAPI. */
  get openapi(): OtherOpenapi {
    return this.#openapi
  }

  /** Why it cannot be asked, or what is not known of it; `undefined` if nothing is wrong. */
  get problem(): string | undefined {
    return this.#failure ?? this.#resources.problem
  }

  /** Why requests should not be led to it through us yet: it has not shown that it serves the group; `undefined` if it has. */
  get obstacle(): string | undefined {
    return this.#resources.isServing ? undefined : this.#resources.problem
  }

  /** Resolves after the first reading of its discovery and OpenAPI, whether it succeeded or not. */
  async start(): Promise<void> {
    await this.#connection.start()
    await Promise.all([this.#resources.start(), this.#openapi.start()])
  }

  close(): void {
    this.#resources.close()
    this.#openapi.close()
    this.#connection.close()
  }

  async forward(ctx: Context): Promise<void> {
    const { path, version, served } = this.#route(ctx)
    if (this.#requests >= MAX_REQUESTS)
      throw this.#unavailable(`${MAX_REQUESTS} requests wait for its answers already`)
    const { refusal } = this.#circuit
    if (refusal !== undefined) throw this.#unavailable(refusal)
    const left = new AbortController()
    this.#requests += 1
    ctx.res.once('close', () => {
      this.#requests -= 1
      if (!ctx.res.writableFinished) left.abort()
    })
    const isTranslated = served !== version
    const answer = await this.#send({
      path,
      headers: isTranslated ? { accept: 'application/json' } : headersForAdapter(ctx.req.headers),
      signal: left.signal,
    })
    this.#noteRefusal(answer.statusCode)
    if (answer.statusCode === 404) this.#checkAbsence(answer)
    const headers = this.#accept(answer)
    ctx.status = answer.statusCode ?? 0
    ctx.set('X-Content-Type-Options', 'nosniff')
    if (isTranslated && answer.statusCode === 200) {
      ctx.set('Content-Type', 'application/json')
      ctx.body = await this.#translate(answer, served)
      return
    }
    ctx.body = answer
    for (const [name, value] of Object.entries(headers)) ctx.set(name, String(value))
  }

  /** The target as it was received, but for the version if the adapter serves only the other one. */
  #route({ req }: Context) {
    const { url = '' } = req
    const prefix = `/apis/${this.#options.group}/`
    const [path = ''] = url.split('?', 1)
    // What the API server has authorized is the path as it is written.
    if (!url.startsWith(prefix) || /\/(\.|%2e){1,2}(\/|$)/i.test(path))
      throw badRequest(
        `Cannot pass ${quote(path)} on: expected a path below ${prefix}, without "." and ".."`,
      )
    const rest = url.slice(prefix.length)
    const [version = ''] = rest.split(/[/?]/, 1)
    const served = this.#resources.served(version)
    return { version, served, path: `${prefix}${served}${rest.slice(version.length)}` }
  }

  async #send(call: {
    readonly path: string
    readonly headers: OutgoingHttpHeaders
    readonly signal: AbortSignal
  }): Promise<IncomingMessage> {
    const { timeoutMs = TIMEOUT_MS } = this.#options
    try {
      const send = () => this.#connection.send({ ...call, timeoutMs })
      const answer = await this.#circuit.run(send)
      this.#note(undefined)
      return answer
    } catch (error) {
      if (!isAbort(error)) this.#note(reasonOf(error))
      throw this.#unavailable(reasonOf(error))
    }
  }

  #note(failure: string | undefined): void {
    if (failure === this.#failure) return
    this.#failure = failure
    const { group } = this.#options
    if (failure === undefined) this.#log.info({ group }, 'the adapter answers')
    else this.#log.warn({ group, reason: failure }, 'the adapter does not answer')
  }

  #noteRefusal(code: number | undefined): void {
    const isRefused = code === 401 || code === 403
    if (isRefused && !this.#isRefused) {
      const { group } = this.#options
      this.#log.warn({ group, code }, 'the adapter refuses the gateway: apply components/upstream')
    }
    this.#isRefused = isRefused
  }

  /** While it is not known which versions it serves, 404 may be about the version, and not about the metric. */
  #checkAbsence(answer: IncomingMessage): void {
    const { obstacle } = this
    if (obstacle === undefined) return
    answer.destroy()
    throw this.#unavailable(`it answers 404, and ${obstacle}`)
  }

  /** The headers of an answer that may be passed back. */
  #accept(answer: IncomingMessage): OutgoingHttpHeaders {
    const { statusCode = 0, headers } = answer
    const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
    const isRedirect = statusCode >= 300 && statusCode < 400
    if (!isRedirect && isPassedBack(type)) return headersForClient(headers)
    answer.destroy()
    throw this.#unavailable(
      isRedirect
        ? `it answers with a redirect (${statusCode}), which is not followed`
        : `it answers ${statusCode} with ${type === '' ? 'no content type' : quote(type)}`,
    )
  }

  /** Long answers are translated one at a time: the memory of only one is in use. */
  async #translate(answer: IncomingMessage, served: string): Promise<string> {
    const from = VERSIONS.find((version) => version === served)
    if (from === undefined) throw this.#unavailable(`it serves only ${quote(served)}`)
    let end: (() => void) | undefined
    const begin = async () => {
      end = await this.#longAnswers.take()
    }
    try {
      const long = { bytes: LONG_BYTES, begin }
      const text = await readBoundedText(answer, MAX_TRANSLATED_BYTES, long)
      if (text === undefined) throw new Error(tooLong(MAX_TRANSLATED_BYTES))
      return translateMetricValues(text, from)
    } catch (error) {
      throw this.#unavailable(reasonOf(error))
    } finally {
      end?.()
    }
  }

  #unavailable(reason: string): StatusError {
    return adapterUnavailable(this.#options.target, reason)
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}
