// Watches the pods with sidecars in all namespaces, and answers which there are from the last copy.
import type { Logger } from '#serving/log.ts'
import { unavailable } from '#serving/status.ts'
import { quote } from '#serving/text.ts'
import { SERVICE_LABEL } from '../../contract.ts'
import type { Cluster, Watching } from '../../kubernetes/cluster.ts'
import { CollectionWatch, type Pace } from '../../kubernetes/collection-watch.ts'
import { FormerNames } from './former-names.ts'
import type { EnabledNames, MiniClusterName, PeerJobs, PeerLookup, Peers } from './peer.ts'
import { PeerRegistry } from './peer-registry.ts'
import { SILENT_MS, silenceOf } from './silence.ts'

/** The API server selects: other pods of the cluster cost nothing. */
const PODS = {
  apiVersion: 'v1',
  kind: 'Pod',
  labelSelector: `${SERVICE_LABEL.key}=${SERVICE_LABEL.value}`,
} as const

export interface PodWatchOptions {
  readonly cluster: Pick<Cluster, 'list'> & Watching
  readonly enabled: EnabledNames
  readonly log: Logger
  readonly pace?: Partial<Pace>
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number
}

export class PodWatch implements Peers, PeerJobs {
  readonly #log: Logger
  readonly #watch: CollectionWatch<PeerRegistry>
  readonly #former: FormerNames
  readonly #enabled: EnabledNames
  readonly #now: () => number
  /** The last copy. */
  #peers: PeerRegistry | undefined
  #heardAt = 0

  constructor(options: PodWatchOptions) {
    const { cluster, enabled, log, pace = {}, now = () => performance.now() } = options
    this.#enabled = enabled
    this.#log = log.child({ component: 'peers' })
    this.#former = new FormerNames(now)
    this.#now = now
    this.#watch = new CollectionWatch({
      cluster,
      collection: PODS,
      createStore: () => new PeerRegistry(undefined, (name) => this.#former.add(name)),
      onList: (peers) => this.#replace(peers),
      onHeard: () => {
        this.#heardAt = now()
      },
      log: this.#log,
      what: 'the pods with sidecars',
      pace,
    })
  }

  /** Watches until closed. Resolves after the first attempt to list the pods, even if that failed. */
  async start(): Promise<void> {
    await this.#watch.start()
  }

  close(): void {
    this.#watch.close()
  }

  get missing(): string | undefined {
    if (this.#watch.store !== undefined) return undefined
    const why = this.#watch.failure ?? 'the API server has not answered yet'
    return `The pods with sidecars are not known yet: ${why}`
  }

  find(name: MiniClusterName): PeerLookup {
    return this.#watch.store?.find(name) ?? { kind: 'absent' }
  }

  jobsOf(name: MiniClusterName): readonly string[] {
    return this.#watch.store?.jobsOf(name) ?? []
  }

  /** @throws StatusError 503 if there may be more: a shorter list would be a smaller number */
  inNamespace(namespace: string): readonly MiniClusterName[] {
    const why = this.#whyIncomplete(namespace)
    if (why !== undefined)
      throw unavailable(`Cannot list the MiniClusters of namespace ${quote(namespace)}: ${why}`)
    const present = this.#watch.store?.inNamespace(namespace) ?? []
    const names = present.map(({ minicluster }) => minicluster)
    const all = new Set([...names, ...this.#former.inNamespace(namespace)])
    // Where nobody answers, nobody answers for another.
    if (all.size > 0) for (const name of this.#withoutPod(namespace)) all.add(name)
    return [...all].sort().map((minicluster) => ({ namespace, minicluster }))
  }

  /** Those that ask for metrics and have no pod with a sidecar. */
  #withoutPod(namespace: string): readonly string[] {
    return this.#enabled
      .inNamespace(namespace)
      .filter((minicluster) => this.find({ namespace, minicluster }).kind === 'absent')
  }

  all(): readonly MiniClusterName[] {
    return this.#watch.store?.all() ?? []
  }

  #whyIncomplete(namespace: string): string | undefined {
    if (this.#watch.store?.isCut(namespace) === true)
      return 'they have more pods with sidecars than the gateway keeps'
    const silentMs = this.#now() - this.#heardAt
    if (this.missing !== undefined || silentMs <= SILENT_MS) return undefined
    return silenceOf(silentMs, this.#watch.failure)
  }

  /** A list may show the end of pods that no event has told of. */
  #replace(peers: PeerRegistry): void {
    const former = this.#peers?.all() ?? []
    for (const name of former) if (peers.find(name).kind === 'absent') this.#former.add(name)
    this.#peers = peers
    const { omitted } = peers
    if (omitted === 0) return
    this.#log.warn(
      { omitted },
      'there are too many pods with sidecars: some MiniClusters have no answer',
    )
  }
}
