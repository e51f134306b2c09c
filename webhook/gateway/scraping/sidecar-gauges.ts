// The gauges of all sidecars in one text, for `/metrics` of the gateway: asks them, a few at a time and within one deadline. Who
// does not answer has no samples, which is a gap in a graph, and is counted. What a page may hold is in page.ts.
import { setImmediate as endTurn } from 'node:timers/promises'
import type { Logger } from '#serving/log.ts'
import { StatusError } from '#serving/status.ts'
import type { Sidecars } from '../asking/sidecar-answer.ts'
import type { MiniClusterName, Peers } from '../peers/peer.ts'
import { type Pace, paced } from './paced.ts'
import { type Page, PageLines, readPage } from './page.ts'
import { textsOf } from './page-text.ts'

/** Path of the sidecar's own page. */
const PATH = '/metrics'

/** Prometheus waits for 10 s unless it is told otherwise. */
const SCRAPE_MS = 5_000

/** The time of one sidecar. Many that hang would else take the time of all the others. */
const SIDECAR_MS = 1_000

/**
 * Sidecars answer within milliseconds. The answers of more at a time would come together, and HorizontalPodAutoscalers would wait
 * behind them.
 */
const PACE: Pace = { prompt: 4, most: 16, slowMs: 50 }

/** How old a text may be. Several Prometheus servers, and strangers, may ask. */
const FRESH_MS = 10_000

/** What all pages may have: 1,000 MiniClusters with three queues have 6 MB. */
const MAX_BYTES = 8 * 2 ** 20

const PART_CHARACTERS = 64 * 2 ** 10

/** Why a sidecar has no samples: the values of the label `reason`. */
const REASONS = ['unready', 'unanswered', 'too_large', 'no_room'] as const

type Reason = (typeof REASONS)[number]

export interface SidecarGaugesOptions {
  readonly peers: Peers
  readonly sidecars: Sidecars
  readonly log: Logger
}

export class SidecarGauges {
  readonly #options: SidecarGaugesOptions
  readonly #lines = new PageLines()
  #last: { readonly parts: Promise<readonly Buffer[]>; readonly at: number } | undefined
  /** Who had no samples last time: they are asked last. */
  #absent: ReadonlySet<string> = new Set()

  constructor(options: SidecarGaugesOptions) {
    this.#options = options
  }

  /**
   * The text, at most ten seconds old, to be sent behind the gateway's own. All who ask meanwhile get the same bytes: many slow
   * readers of megabytes take the memory of one. Never rejects.
   */
  render(): Promise<readonly Buffer[]> {
    if (this.#options.peers.missing !== undefined) return Promise.resolve([])
    const now = performance.now()
    if (this.#last === undefined || now - this.#last.at >= FRESH_MS) {
      const last = { parts: this.#scrape(now + SCRAPE_MS), at: now }
      this.#last = last
      // The next scrape needs the room of these megabytes.
      setTimeout(() => {
        if (this.#last === last) this.#last = undefined
      }, FRESH_MS).unref()
    }
    return this.#last.parts
  }

  async #scrape(deadline: number): Promise<readonly Buffer[]> {
    const { peers } = this.#options
    const names = inTurns(peers.all()).sort((one, other) => this.#rank(one) - this.#rank(other))
    const scrape = new Scrape(this.#lines)
    await paced(names, PACE, (name) => this.#ask(name, deadline, scrape))
    this.#absent = new Set(scrape.absent.keys())
    return await scrape.parts()
  }

  #rank(name: MiniClusterName): number {
    return this.#absent.has(keyOf(name)) ? 1 : 0
  }

  async #ask(name: MiniClusterName, deadline: number, scrape: Scrape): Promise<void> {
    const { peers, sidecars, log } = this.#options
    const { kind } = peers.find(name)
    if (kind === 'absent') return
    if (kind === 'unready') return scrape.miss(name, 'unready')
    const now = performance.now()
    if (now >= deadline) return scrape.miss(name, 'unanswered')
    const limits = { deadline: Math.min(deadline, now + SIDECAR_MS) }
    try {
      const { body } = await sidecars.ask({ ...name, ...limits, path: PATH, accept: 'text/plain' })
      await scrape.add(name, body)
    } catch (error) {
      scrape.miss(name, 'unanswered')
      if (!(error instanceof StatusError)) log.error({ err: error, ...name }, 'scrape failed')
    }
  }
}

/** What one scrape has found so far. */
class Scrape {
  readonly absent = new Map<string, Reason>()
  /** By namespace and MiniCluster. */
  readonly #pages = new Map<string, Pages>()
  #bytes = 0
  #dropped = 0
  readonly #lines: PageLines
  #turn: Promise<void> = Promise.resolve()

  constructor(lines: PageLines) {
    this.#lines = lines
  }

  miss(name: MiniClusterName, reason: Reason): void {
    this.absent.set(keyOf(name), reason)
  }

  /** Each page is read in a turn of its own: a long one takes milliseconds, and the gateway answers others in between. */
  async add(name: MiniClusterName, text: string): Promise<void> {
    this.#turn = this.#turn.then(() => endTurn())
    await this.#turn
    const page = readPage(text, name, this.#lines)
    if (page === undefined) return this.miss(name, 'too_large')
    const { namespace } = name
    const ofNamespace = this.#pages.get(namespace) ?? { bytes: 0, byKey: new Map<string, Page>() }
    this.#pages.set(namespace, ofNamespace)
    ofNamespace.byKey.set(keyOf(name), page)
    ofNamespace.bytes += page.bytes
    this.#bytes += page.bytes
    this.#dropped += page.dropped
    while (this.#bytes > MAX_BYTES) this.#removeLongest()
  }

  /** The text in parts: whole, it would be in memory several times. Each is made in a turn of its own, too. */
  async parts(): Promise<readonly Buffer[]> {
    const { absent } = this
    const reasons = [...absent.values()]
    const all = [...this.#pages.values()].flatMap(({ byKey }) => [...byKey])
    const pages = all.sort(([one], [other]) => (one < other ? -1 : 1))
    const unscraped = 'flux_gateway_sidecars_unscraped'
    const scraped = 'flux_gateway_sidecars_scraped'
    const dropped = 'flux_gateway_sidecar_lines_dropped'
    const own = [
      `# HELP ${scraped} MiniClusters whose gauges are here\n`,
      `# TYPE ${scraped} gauge\n`,
      `${scraped} ${pages.length}\n`,
      `# HELP ${unscraped} MiniClusters whose gauges are missing here, by reason\n`,
      `# TYPE ${unscraped} gauge\n`,
      ...REASONS.map((reason) => {
        const count = reasons.filter((one) => one === reason).length
        return `${unscraped}{reason="${reason}"} ${count}\n`
      }),
      `# HELP ${dropped} Lines that sidecars sent and must not send\n`,
      `# TYPE ${dropped} gauge\n`,
      `${dropped} ${this.#dropped}\n`,
    ].join('')
    const parts = [Buffer.from(own)]
    let next: string[] = []
    let length = 0
    // A hostile sidecar has a family for each sample: tens of thousands of parts would take longer to send than to make.
    const add = () => {
      parts.push(Buffer.from(next.join('')))
      next = []
      length = 0
    }
    for (const text of textsOf(pages.map(([, page]) => page))) {
      next.push(text)
      length += text.length
      if (length < PART_CHARACTERS) continue
      add()
      await endTurn()
    }
    add()
    return parts
  }

  /** Where there is no room for all pages, the namespace that takes most makes room by its longest one. */
  #removeLongest(): void {
    const ofNamespace = largestOf(this.#pages.values(), ({ bytes }) => bytes)
    const [key, page] =
      largestOf(ofNamespace?.byKey.entries() ?? [], ([, { bytes }]) => bytes) ?? []
    if (ofNamespace === undefined || key === undefined || page === undefined) return
    ofNamespace.byKey.delete(key)
    ofNamespace.bytes -= page.bytes
    this.#bytes -= page.bytes
    this.absent.set(key, 'no_room')
  }
}

/** Those of a namespace. */
interface Pages {
  bytes: number
  readonly byKey: Map<string, Page>
}

function largestOf<Item>(items: Iterable<Item>, sizeOf: (item: Item) => number): Item | undefined {
  let largest: { readonly item: Item; readonly size: number } | undefined
  for (const item of items) {
    const size = sizeOf(item)
    if (largest === undefined || size > largest.size) largest = { item, size }
  }
  return largest?.item
}

/**
 * The first of each namespace, the second of each, and so on: a thousand slow sidecars of one do not take the time of the others.
 *
 * @param names by namespace
 */
function inTurns(names: readonly MiniClusterName[]): MiniClusterName[] {
  const places = new Map<string, number>()
  const placed = names.map((name) => {
    const place = places.get(name.namespace) ?? 0
    places.set(name.namespace, place + 1)
    return { name, place }
  })
  return placed.sort((one, other) => one.place - other.place).map(({ name }) => name)
}

/** No name has a slash. */
function keyOf({ namespace, minicluster }: MiniClusterName): string {
  return `${namespace}/${minicluster}`
}
