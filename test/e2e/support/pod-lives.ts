// The lives of a MiniCluster's pods, from a watch: when each was created, ready, told to end and gone, and whether somebody
// evicted it. The Job controller deletes the pods of a smaller size; a node autoscaler evicts.
import { type KubeConfig, makeInformer, type V1Pod } from '@kubernetes/client-node'
import type { Cluster } from './cluster.ts'
import type { Member } from './members.ts'
import { isReady } from './pods.ts'

/** The delay before a failed watch is tried again. */
const RETRY_MS = 500

/** Times are when we were told, in milliseconds since the epoch. */
export interface PodLife {
  readonly name: string
  /** The rank of its broker. */
  readonly index: number
  readonly createdAt: number
  /** The node on which it is. */
  node?: string
  readyAt?: number
  /** When somebody has deleted or evicted it. */
  endingAt?: number
  /** By the Eviction API, as node autoscalers do it. */
  evicted: boolean
  goneAt?: number
}

export class PodLives implements AsyncDisposable {
  readonly #lives = new Map<string, PodLife>()
  readonly #listeners: (() => void)[] = []
  readonly #informer: ReturnType<typeof makeInformer<V1Pod>>
  #isStopped = false

  private constructor(kubeConfig: KubeConfig, { core }: Cluster, { namespace, name }: Member) {
    const labelSelector = `job-name=${name}`
    const path = `/api/v1/namespaces/${namespace}/pods`
    const list = () => core.listNamespacedPod({ namespace, labelSelector })
    this.#informer = makeInformer<V1Pod>(kubeConfig, path, list, labelSelector)
    this.#informer.on('add', (pod) => this.#see(pod, false))
    this.#informer.on('update', (pod) => this.#see(pod, false))
    this.#informer.on('delete', (pod) => this.#see(pod, true))
    this.#informer.on('error', () => setTimeout(() => this.#restart(), RETRY_MS).unref())
  }

  /** Watches the pods of a MiniCluster from now on, until disposed. */
  static async watch(cluster: Cluster, member: Member): Promise<PodLives> {
    const lives = new PodLives(cluster.kubeConfig, cluster, member)
    await lives.#informer.start()
    return lives
  }

  /** All pods that were seen, oldest first. */
  get all(): readonly Readonly<PodLife>[] {
    return [...this.#lives.values()]
  }

  /** Those that are ready and not gone: a broker runs for the time of its pod's grace. */
  get running(): readonly Readonly<PodLife>[] {
    return this.all.filter(({ readyAt, goneAt }) => readyAt !== undefined && goneAt === undefined)
  }

  /** Calls back after each change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    await this.#informer.stop()
  }

  #restart(): void {
    if (!this.#isStopped) void this.#informer.start()
  }

  #see(pod: V1Pod, isGone: boolean): void {
    const { uid = '', name = '', deletionTimestamp, labels } = pod.metadata ?? {}
    const at = Date.now()
    const index = Number(labels?.['batch.kubernetes.io/job-completion-index'])
    const life = this.#lives.get(uid) ?? { name, index, createdAt: at, evicted: false }
    this.#lives.set(uid, life)
    const { nodeName } = pod.spec ?? {}
    if (nodeName !== undefined) life.node = nodeName
    if (isReady(pod)) life.readyAt ??= at
    if (isGone || deletionTimestamp !== undefined) life.endingAt ??= at
    if (isEvicted(pod)) life.evicted = true
    if (isGone) life.goneAt ??= at
    for (const listener of this.#listeners) listener()
  }
}

function isEvicted({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type }) => type === 'DisruptionTarget') === true
}
