// The MiniClusters whose last pod went a moment ago. Their Jobs make the next pod within seconds: until then they count as there,
// because a list without them would give a smaller sum, or make another MiniCluster the only one of its namespace.
import { RecentMap } from '#serving/limits/recent-map.ts'
import type { MiniClusterName } from './peer.ts'

const KEPT_MS = 60_000

/** Users may create and delete any number. */
const MAX_NAMESPACES = 1_000
const MAX_NAMES = 500

export class FormerNames {
  readonly #now: () => number
  /** When each went, by namespace and name. */
  readonly #names = new RecentMap<string, RecentMap<string, number>>(MAX_NAMESPACES)
  #sweptAt: number

  /** @param now milliseconds of a monotonic clock */
  constructor(now: () => number) {
    this.#now = now
    this.#sweptAt = now()
  }

  add({ namespace, minicluster }: MiniClusterName): void {
    this.#sweep()
    const names = this.#names.get(namespace) ?? new RecentMap(MAX_NAMES)
    names.set(minicluster, this.#now())
    this.#names.set(namespace, names)
  }

  /** Those of a namespace, in no order. */
  inNamespace(namespace: string): readonly string[] {
    const since = this.#now() - KEPT_MS
    const names = this.#names.get(namespace)?.entries() ?? []
    return [...names].flatMap(([name, at]) => (at > since ? [name] : []))
  }

  /** Forgets what is over, once in a while: in a year there are millions of names. */
  #sweep(): void {
    const since = this.#now() - KEPT_MS
    if (this.#sweptAt > since) return
    this.#sweptAt = this.#now()
    for (const [namespace, names] of this.#names.entries()) {
      for (const [name, at] of names.entries()) if (at <= since) names.delete(name)
      if (names.entries().next().done === true) this.#names.delete(namespace)
    }
  }
}
