// The MiniClusters that are short of pods, as Prometheus gauges. Two lists of the whole cluster say which may be: pods on no node, and
// Jobs whose pods are refused. Only those are looked at closely, and only while somebody scrapes.
import { Gauge, type Registry } from 'prom-client'
import { StatusError } from '#serving/status.ts'
import type { Cluster, ClusterObject, Collection } from '../../kubernetes/cluster.ts'
import { certainPartsOf } from '../../kubernetes/collect.ts'
import type { MiniClusterName, Peers } from '../peers/peer.ts'
import type { ShortageSource } from './shortages.ts'

/** Pods of Jobs that are on no node. */
const UNSCHEDULED: Collection = {
  apiVersion: 'v1',
  kind: 'Pod',
  labelSelector: 'job-name',
  fieldSelector: 'spec.nodeName=,status.phase=Pending',
  metadataOnly: true,
}

/** Events of Jobs whose pods are refused. */
const REFUSED: Collection = {
  apiVersion: 'v1',
  kind: 'Event',
  fieldSelector: 'involvedObject.kind=Job,reason=FailedCreate',
}

/** A bound that the object of one user can exceed would hide the others: the API server writes at most 9 MiB for one. */
const BOUNDS = { objects: 500, maxBytes: 2 ** 21, maxObjectBytes: 12 * 2 ** 20 } as const

/** Users can make any number of them. */
const MAX_OBJECTS = 20_000

/** How old the gauges may be: anybody in the cluster's network can scrape. */
const FRESH_MS = 30_000

/** Prometheus waits for 10 s, and asks for the sidecars' gauges as well. */
const ROUND_MS = 4_000

/** Looks at once. A namespace has four, and people ask too. */
const TURNS = 2

interface Round {
  readonly short: readonly { readonly name: MiniClusterName; readonly unavailable: number }[]
  /** MiniClusters that may be short, and are not known to be. */
  readonly unknown: number
}

export interface ShortageGaugesOptions {
  readonly cluster: Pick<Cluster, 'list'>
  readonly peers: Pick<Peers, 'all'>
  readonly shortages: ShortageSource
}

export class ShortageGauges {
  readonly #options: ShortageGaugesOptions
  #last: { readonly round: Promise<Round>; readonly at: number } | undefined

  constructor(options: ShortageGaugesOptions) {
    this.#options = options
  }

  register(registry: Registry): void {
    const short: Gauge = new Gauge({
      name: 'flux_gateway_unavailable_nodes',
      help: 'Wanted ranks whose pods could not be scheduled or created for longer than a minute: node_unavailable_count where it is not 0',
      labelNames: ['namespace', 'minicluster'],
      registers: [registry],
      collect: async () => {
        const round = await this.#round()
        short.reset()
        for (const { name, unavailable } of round.short) short.set({ ...name }, unavailable)
      },
    })
    const unknown: Gauge = new Gauge({
      name: 'flux_gateway_unavailable_nodes_unknown',
      help: 'MiniClusters that may be short of pods, and could not be looked at',
      registers: [registry],
      collect: async () => unknown.set((await this.#round()).unknown),
    })
  }

  #round(): Promise<Round> {
    const now = performance.now()
    if (this.#last === undefined || now - this.#last.at >= FRESH_MS)
      this.#last = { round: this.#look(now + ROUND_MS), at: now }
    return this.#last.round
  }

  async #look(deadline: number): Promise<Round> {
    const all = this.#options.peers.all()
    const suspects = await this.#suspects()
    const waiting = all.filter((name) => suspects?.has(keyOf(name)) ?? true).values()
    const short: { readonly name: MiniClusterName; readonly unavailable: number }[] = []
    let unknown = 0
    const work = async () => {
      for (const name of waiting) {
        const unavailable = await this.#count(name, deadline)
        if (unavailable === undefined) unknown += 1
        else if (unavailable > 0) short.push({ name, unavailable })
      }
    }
    await Promise.all(Array.from({ length: TURNS }, work))
    return { short, unknown }
  }

  async #count(name: MiniClusterName, deadline: number): Promise<number | undefined> {
    if (performance.now() >= deadline) return undefined
    try {
      return (await this.#options.shortages.of(name, deadline)).unavailable
    } catch (error) {
      if (error instanceof StatusError) return undefined
      throw error
    }
  }

  /** The MiniClusters that may be short of pods; `undefined` if the API server does not say all: then all are suspected. */
  async #suspects(): Promise<ReadonlySet<string> | undefined> {
    try {
      const unscheduled = await this.#keys(UNSCHEDULED, ({ metadata }) => ({
        namespace: metadata?.namespace,
        name: metadata?.labels?.['job-name'],
      }))
      const refused = await this.#keys(REFUSED, ({ metadata, involvedObject }) => ({
        namespace: metadata?.namespace,
        name: nameIn(involvedObject),
      }))
      return new Set([...unscheduled, ...refused])
    } catch {
      // If the API server is away, each look fails, and is counted.
      return undefined
    }
  }

  async #keys(
    collection: Collection,
    toName: (object: ClusterObject) => {
      readonly namespace: string | undefined
      readonly name: string | undefined
    },
  ): Promise<readonly string[]> {
    const keys = new Set<string>()
    let seen = 0
    for await (const { items } of certainPartsOf(this.#options.cluster, collection, BOUNDS)) {
      seen += items.length
      if (seen > MAX_OBJECTS) throw new RangeError(`more than ${MAX_OBJECTS} objects`)
      for (const { namespace = '', name = '' } of items.map(toName))
        keys.add(keyOf({ namespace, minicluster: name }))
    }
    return [...keys]
  }
}

function nameIn(involvedObject: unknown): string | undefined {
  if (typeof involvedObject !== 'object' || involvedObject === null) return undefined
  return 'name' in involvedObject && typeof involvedObject.name === 'string'
    ? involvedObject.name
    : undefined
}

/** No name has a slash. */
function keyOf({ namespace, minicluster }: MiniClusterName): string {
  return `${namespace}/${minicluster}`
}
