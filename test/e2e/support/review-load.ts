// Creates many pods, to put load on the webhook by their admission.
import type { V1Job } from '@kubernetes/client-node'
import type { Environment } from './environment.ts'
import { MINICLUSTER } from './manifests.ts'
import { isInjected, podOf } from './pods.ts'

/** Concurrent requests: the API server's machine has two cores. */
const CONCURRENCY = 20

/** Creates index-0 pods as dry runs at a steady rate, until stopped. */
export class ReviewLoad {
  readonly #environment: Environment
  readonly #job: V1Job
  readonly #timer: NodeJS.Timeout
  readonly #pending = new Set<Promise<void>>()
  /** Number of pods that were returned with the sidecar. */
  answered = 0
  /** Why the other pods have no sidecar. */
  readonly failures: string[] = []

  private constructor(environment: Environment, job: V1Job, perSecond: number) {
    this.#environment = environment
    this.#job = job
    this.#timer = setInterval(() => this.#add(), 1000 / perSecond)
  }

  static async start(environment: Environment, perSecond: number): Promise<ReviewLoad> {
    return new ReviewLoad(environment, await jobOf(environment), perSecond)
  }

  /** Ends the load and waits for pending requests. */
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
   * Creates pods of the indices 0 to `count` − 1 as dry runs: the API server admits them and stores nothing.
   *
   * @returns the number of pods with the sidecar
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
