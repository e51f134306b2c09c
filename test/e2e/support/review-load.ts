// Pods that are made in great number, for what their admission does to the webhook.
import type { V1Job } from '@kubernetes/client-node'
import type { Environment } from './environment.ts'
import { MINICLUSTER } from './manifests.ts'
import { isInjected, podOf } from './pods.ts'

/** Pods under way at once: the API server is one of two cores. */
const CONCURRENCY = 20

/** Makes index-0 pods at a steady rate, dry, until stopped. */
export class ReviewLoad {
  readonly #environment: Environment
  readonly #job: V1Job
  readonly #timer: NodeJS.Timeout
  readonly #pending = new Set<Promise<void>>()
  /** Pods that came back with the sidecar. */
  answered = 0
  /** What became of the others. */
  readonly failures: string[] = []

  private constructor(environment: Environment, job: V1Job, perSecond: number) {
    this.#environment = environment
    this.#job = job
    this.#timer = setInterval(() => this.#add(), 1000 / perSecond)
  }

  static async start(environment: Environment, perSecond: number): Promise<ReviewLoad> {
    return new ReviewLoad(environment, await jobOf(environment), perSecond)
  }

  /** Ends the load, and waits for what is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#pending)
  }

  #add(): void {
    const review = this.#review().finally(() => this.#pending.delete(review))
    this.#pending.add(review)
  }

  async #review(): Promise<void> {
    const { cluster, namespace } = this.#environment
    const startedAt = Date.now()
    try {
      const body = podOf(this.#job, 0)
      const pod = await cluster.core.createNamespacedPod({ namespace, body, dryRun: 'All' })
      if (isInjected(pod)) this.answered += 1
      else this.failures.push(`not injected, after ${Date.now() - startedAt} ms`)
    } catch (error) {
      this.failures.push(String(error))
    }
  }

  /**
   * Has the API server admit pods of the indices 0 to `count` − 1, dry: they are not stored.
   *
   * @returns how many have the sidecar
   */
  static async admitPods(environment: Environment, count: number): Promise<number> {
    const { cluster, namespace } = environment
    const job = await jobOf(environment)
    let next = 0
    let injected = 0
    const work = async () => {
      while (next < count) {
        const body = podOf(job, next)
        next += 1
        const pod = await cluster.core.createNamespacedPod({ namespace, body, dryRun: 'All' })
        if (isInjected(pod)) injected += 1
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, work))
    return injected
  }
}

async function jobOf({ cluster, namespace }: Environment): Promise<V1Job> {
  return cluster.batch.readNamespacedJob({ namespace, name: MINICLUSTER })
}
