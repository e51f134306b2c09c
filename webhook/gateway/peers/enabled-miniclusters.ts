// Watches the MiniClusters that ask for metrics. One whose pod has no sidecar is in no list of pods: a sum would be smaller without
// it, and another MiniCluster would be taken for the only one of its namespace. Knows no pods.
import type { Logger } from '#serving/log.ts'
import { unavailable } from '#serving/status.ts'
import { quote } from '#serving/text.ts'
import type { Cluster, ClusterObject, Watching } from '../../kubernetes/cluster.ts'
import { CollectionWatch, type Pace, type Store } from '../../kubernetes/collection-watch.ts'
import { MINICLUSTER } from '../../objects/minicluster.ts'
import { toEnabledName } from './enabled-name.ts'
import type { EnabledNames } from './peer.ts'
import { SILENT_MS, silenceOf } from './silence.ts'

/** Users may create any number of them. A name is kept of each. */
const MAX_NAMES = 20_000
const MAX_NAMES_OF_NAMESPACE = 2_000

export interface EnabledMiniClustersOptions {
  readonly cluster: Pick<Cluster, 'list'> & Watching
  readonly log: Logger
  readonly pace?: Partial<Pace>
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number
}

export class EnabledMiniClusters implements EnabledNames {
  readonly #watch: CollectionWatch<Names>
  readonly #now: () => number
  #heardAt = 0

  constructor({
    cluster,
    log,
    pace = {},
    now = () => performance.now(),
  }: EnabledMiniClustersOptions) {
    this.#now = now
    this.#watch = new CollectionWatch({
      cluster,
      collection: MINICLUSTER,
      isOptional: true,
      createStore: () => new Names(),
      onHeard: () => {
        this.#heardAt = now()
      },
      log: log.child({ component: 'miniclusters' }),
      what: 'the MiniClusters that ask for metrics',
      pace,
    })
  }

  /** Watches until closed. Resolves after the first attempt to list them, even if that failed. */
  async start(): Promise<void> {
    await this.#watch.start()
  }

  close(): void {
    this.#watch.close()
  }

  inNamespace(namespace: string): readonly string[] {
    const why = this.#whyIncomplete(namespace)
    if (why === undefined) return this.#watch.store?.inNamespace(namespace) ?? []
    throw unavailable(
      `Cannot list the MiniClusters of namespace ${quote(namespace)}: not all that ask for metrics are known: ${why}`,
    )
  }

  #whyIncomplete(namespace: string): string | undefined {
    const { store, failure } = this.#watch
    if (store === undefined) return failure ?? 'the API server has not answered yet'
    if (store.isCut(namespace)) return 'they are more than the gateway keeps'
    const silentMs = this.#now() - this.#heardAt
    return silentMs <= SILENT_MS ? undefined : silenceOf(silentMs, failure)
  }
}

class Names implements Store {
  readonly #names = new Map<string, Set<string>>()
  readonly #cutNamespaces = new Set<string>()
  #size = 0

  put(object: ClusterObject): void {
    this.remove(object)
    const name = toEnabledName(object)
    if (name === undefined) return
    const { namespace, minicluster } = name
    const names = this.#names.get(namespace) ?? new Set<string>()
    if (this.#size >= MAX_NAMES || names.size >= MAX_NAMES_OF_NAMESPACE) {
      this.#cutNamespaces.add(namespace)
      return
    }
    this.#names.set(namespace, names.add(minicluster))
    this.#size += 1
  }

  remove({ metadata: { namespace = '', name = '' } = {} }: ClusterObject): void {
    const names = this.#names.get(namespace)
    if (names?.delete(name) !== true) return
    this.#size -= 1
    if (names.size === 0) this.#names.delete(namespace)
  }

  /** Whether some of a namespace were left out. */
  isCut(namespace: string): boolean {
    return this.#cutNamespaces.has(namespace)
  }

  inNamespace(namespace: string): readonly string[] {
    return [...(this.#names.get(namespace) ?? [])]
  }
}
