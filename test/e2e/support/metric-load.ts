// Requests for metrics at a steady rate through the API server, over connections that are kept, as an HPA controller sends them.
import type { IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import { text } from 'node:stream/consumers'
import type { Cluster } from './cluster.ts'
import { type Member, metricPath } from './fleet.ts'

const METRIC = 'node_total_count'
/** An API server that has just started. */
const TOO_EARLY = 'before all known HTTP paths have been installed'

export class MetricLoad {
  /** Number of right answers. */
  answered = 0
  /** Answers that are wrong, or errors of the gateway. */
  readonly failures: string[] = []
  /** Requests that did not reach the gateway: the API server, or its connection to the gateway, was away. */
  readonly unreached: string[] = []
  readonly #server: URL
  readonly #options: RequestOptions
  readonly #members: readonly Member[]
  readonly #timer: NodeJS.Timeout
  readonly #pending = new Set<Promise<void>>()
  #next = 0

  private constructor(
    server: URL,
    options: RequestOptions,
    load: { readonly members: readonly Member[]; readonly perSecond: number },
  ) {
    this.#server = server
    this.#options = options
    this.#members = load.members
    this.#timer = setInterval(() => this.#add(), 1000 / load.perSecond)
  }

  /** Asks the members in turn, until stopped. */
  static async start(
    { kubeConfig }: Cluster,
    members: readonly Member[],
    perSecond: number,
  ): Promise<MetricLoad> {
    const options: RequestOptions = {}
    await kubeConfig.applyToHTTPSOptions(options)
    const { ca, cert, key, headers } = options
    const agent = new Agent({ keepAlive: true, ca, cert, key })
    const server = new URL(kubeConfig.getCurrentCluster()?.server ?? '')
    return new MetricLoad(server, { agent, headers }, { members, perSecond })
  }

  /** Ends the load and waits for pending requests. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#pending)
  }

  #add(): void {
    const member = this.#members[this.#next++ % this.#members.length]
    if (member === undefined) return
    const asked = this.#ask(member).finally(() => this.#pending.delete(asked))
    this.#pending.add(asked)
  }

  async #ask(member: Member): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    request(new URL(metricPath(member, METRIC), this.#server), this.#options)
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
    this.#judge(member, response, body)
  }

  #judge(member: Member, { statusCode, headers }: IncomingMessage, body: string): void {
    const answer = `${statusCode} ${body.trim()}`
    // The API server's own errors about a backend are plain text.
    const isPlain = headers['content-type']?.startsWith('application/json') !== true
    if (isPlain || answer.includes(TOO_EARLY)) this.unreached.push(answer)
    else if (statusCode !== 200 || !isAbout(member, body)) this.failures.push(answer)
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
