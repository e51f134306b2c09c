// Requests for metrics at a steady rate through the API server, over connections that are kept, as an HPA controller sends them.
import type { IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import { text } from 'node:stream/consumers'
import type { Cluster } from './cluster.ts'
import { type Member, metricPath } from './members.ts'

const METRIC = 'node_total_count'
/** An API server that has just started. */
const TOO_EARLY = 'before all known HTTP paths have been installed'
/** The gateway's error for a sidecar that got no processor for a second, or more, as on a machine that does too much. */
const STARVED = /^503 .*: its pod \S+ did not answer within \d(\.\d)? s /

/** A request, and whether the text of its answer is right. */
export interface Probe {
  readonly path: string
  readonly isRight: (body: string) => boolean
}

/** All four nodes of a MiniCluster, and of no other. */
export function totalNodesOf(member: Member): Probe {
  return { path: metricPath(member, METRIC), isRight: (body) => isAbout(member, body) }
}

export class MetricLoad {
  /** Number of right answers. */
  answered = 0
  /** Answers that are wrong, or errors of the gateway. */
  readonly failures: string[] = []
  /** Requests that did not reach the gateway: the API server, or its connection to the gateway, was away. */
  readonly unreached: string[] = []
  /** The gateway's errors about sidecars that took too long. */
  readonly late: string[] = []
  readonly #server: URL
  readonly #options: RequestOptions
  readonly #probes: readonly Probe[]
  readonly #timer: NodeJS.Timeout
  readonly #pending = new Set<Promise<void>>()
  #next = 0

  private constructor(
    server: URL,
    options: RequestOptions,
    load: { readonly probes: readonly Probe[]; readonly perSecond: number },
  ) {
    this.#server = server
    this.#options = options
    this.#probes = load.probes
    this.#timer = setInterval(() => this.#add(), 1000 / load.perSecond)
  }

  /** Sends the requests in turn, until stopped. */
  static async start(
    { kubeConfig }: Cluster,
    probes: readonly Probe[],
    perSecond: number,
  ): Promise<MetricLoad> {
    const options: RequestOptions = {}
    await kubeConfig.applyToHTTPSOptions(options)
    const { ca, cert, key, headers } = options
    const agent = new Agent({ keepAlive: true, ca, cert, key })
    const server = new URL(kubeConfig.getCurrentCluster()?.server ?? '')
    return new MetricLoad(server, { agent, headers }, { probes, perSecond })
  }

  /** Number of requests. */
  get sent(): number {
    return this.#next
  }

  /** Ends the load and waits for pending requests. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#pending)
  }

  #add(): void {
    const probe = this.#probes[this.#next++ % this.#probes.length]
    if (probe === undefined) return
    const asked = this.#ask(probe).finally(() => this.#pending.delete(asked))
    this.#pending.add(asked)
  }

  async #ask(probe: Probe): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    request(new URL(probe.path, this.#server), this.#options)
      .once('response', resolve)
      .once('error', reject)
      .end()
    let response: IncomingMessage
    let body: string
    try {
      response = await promise
      body = await text(response)
    } catch (error) {
      this.unreached.push(String(error))
      return
    }
    this.#judge(probe, response, body)
  }

  #judge({ isRight }: Probe, { statusCode, headers }: IncomingMessage, body: string): void {
    const answer = `${statusCode} ${body.trim()}`
    // The API server's own errors about a backend are plain text.
    const isPlain = headers['content-type']?.startsWith('application/json') !== true
    if (isPlain || answer.includes(TOO_EARLY)) this.unreached.push(answer)
    else if (STARVED.test(answer)) this.late.push(answer)
    else if (statusCode !== 200 || !isRight(body)) this.failures.push(answer)
    else this.answered += 1
  }
}

/** Whether an answer is about the MiniCluster that was asked for. */
function isAbout({ namespace, name }: Member, body: string): boolean {
  const { items = [] } = JSON.parse(body)
  const [item] = items
  const { describedObject: described, value } = item ?? {}
  return (
    items.length === 1 &&
    described.namespace === namespace &&
    described.name === name &&
    value === '4'
  )
}
