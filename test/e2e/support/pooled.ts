// A MiniCluster all of whose pods, the lead's too, are on the nodes of a NodePool of its own. Nothing runs in them.
import type { Cluster } from './cluster.ts'
import { remove } from './cluster.ts'
import { ENABLED, miniCluster } from './manifests.ts'
import { type Member, resize } from './members.ts'
import { NODES_LABEL, NodePool } from './node-pool.ts'
import { type PodLife, PodLives } from './pod-lives.ts'
import { holds } from './wait.ts'

export interface PooledOptions {
  readonly name: string
  readonly size: number
  /** CPUs that each pod requests. */
  readonly cpu: string
  /** The sizes of nodes in CPUs. */
  readonly nodeCpus: readonly number[]
  readonly annotations?: Readonly<Record<string, string>>
}

export class Pooled implements AsyncDisposable {
  readonly member: Member
  readonly lives: PodLives
  readonly #cluster: Cluster
  readonly #pool: NodePool

  private constructor(cluster: Cluster, member: Member, pool: NodePool, lives: PodLives) {
    this.#cluster = cluster
    this.member = member
    this.#pool = pool
    this.lives = lives
  }

  /** Returns when all pods are ready. The namespace is one that an operator watches. */
  static async create(
    cluster: Cluster,
    namespace: string,
    { name, size, cpu, nodeCpus, annotations = {} }: PooledOptions,
  ): Promise<Pooled> {
    const member = { namespace, name }
    const pool = await NodePool.create({ name: `${namespace}-${name}`, cpus: nodeCpus })
    const pooled = new Pooled(cluster, member, pool, await PodLives.watch(cluster, member))
    const body = miniCluster(namespace, {
      name,
      size,
      maxSize: size,
      cpu,
      pod: { nodeSelector: { [NODES_LABEL]: pool.name } },
      // Otherwise each pod has a node, which it fills as well as it can.
      network: { disableAffinity: true },
      annotations: { ...ENABLED, ...annotations },
    })
    await cluster.objects.create(body)
    await holds(`${size} pods of ${name}`, async () => pooled.lives.running.length === size)
    return pooled
  }

  /** Makes it smaller, and returns the pods that are left as soon as the others are gone. */
  async shrink(size: number): Promise<readonly PodLife[]> {
    await resize(this.member, size)
    await holds(`${size} pods of ${this.member.name}`, async () => {
      return this.lives.running.every(({ index }) => index < size)
    })
    return this.lives.all.filter(({ index }) => index < size)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { namespace, name } = this.member
    const kind = { apiVersion: 'flux-framework.org/v1alpha2', kind: 'MiniCluster' }
    await remove(this.#cluster, { ...kind, metadata: { namespace, name } })
    await holds('the end of its pods', async () => this.lives.running.length === 0)
    await this.lives[Symbol.asyncDispose]()
    await this.#pool.remove()
  }
}
