// An API server in memory with watches, for programs that keep a copy of what it has. A version is the number of changes before.
import {
  type ApiServer,
  ClusterError,
  type ClusterObject,
  type Collection,
  type ListOptions,
  type ListPage,
  type NewObject,
  type ObjectReference,
} from '../../webhook/kubernetes/cluster.ts'
import type { Watched, WatchOptions } from '../../webhook/kubernetes/connection/watch.ts'
import { MemoryCluster } from './memory-cluster.ts'

interface Change {
  readonly type: 'put' | 'removed'
  readonly object: ClusterObject
}

const AWAY = new ClusterError(0, 'Cannot reach the API server: connection refused')

export class WatchedCluster extends MemoryCluster implements ApiServer {
  #isAway = false
  readonly #changes: Change[] = []
  #changed = Promise.withResolvers<void>()

  constructor(objects: readonly NewObject[] = []) {
    // It would put them before the fields of this class are there.
    super()
    for (const object of objects) this.put(object)
  }

  override put(object: NewObject): ClusterObject {
    const stored = super.put(object)
    this.#note({ type: 'put', object: stored })
    return stored
  }

  override remove(reference: ObjectReference): void {
    const stored = this.peek(reference)
    super.remove(reference)
    if (stored !== undefined) this.#note({ type: 'removed', object: stored })
  }

  override async list(collection: Collection, options: ListOptions): Promise<ListPage> {
    const resourceVersion = String(this.#changes.length)
    return { ...(await super.list(collection, options)), resourceVersion }
  }

  async *watch(
    { kind }: Collection,
    { resourceVersion, signal }: WatchOptions,
  ): AsyncGenerator<Watched> {
    const ended = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    for (let next = Number(resourceVersion); !signal.aborted; ) {
      if (this.#isAway) throw AWAY
      const change = this.#changes[next]
      if (change === undefined) {
        await Promise.race([this.#changed.promise, ended])
        continue
      }
      next += 1
      if (change.object.kind === kind) yield { ...change, version: String(next) }
    }
  }

  async readVersion() {
    return { major: 1, minor: 36 }
  }

  /** Fails every call and ends every watch, until {@link return}. */
  leave(): void {
    this.#isAway = true
    this.failWith(AWAY)
    this.#wake()
  }

  return(): void {
    this.#isAway = false
    this.failWith(undefined)
  }

  #note(change: Change): void {
    this.#changes.push(change)
    this.#wake()
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
