// Creates many pods, to put load on the webhook by their admission.
import { setTimeout as pause } from 'node:timers/promises'
import type { V1Job } from '@kubernetes/client-node'
import type { Environment } from './environment.ts'
import { MINICLUSTER } from './manifests.ts'
import { isInjected, podOf } from './pods.ts'

/** Concurrent requests of {@link ReviewLoad.admitPods}: the API server's machine has two cores. */
const CONCURRENCY = 20

/** Concurrent requests of a steady load. A machine that cannot keep its rate gets a lower one, and does not drown. */
const IN_FLIGHT = 10

/** A webhook that reads such a late API server has no time left: the look-ups of one review may take 2 s. */
const LATE_MS = 500
const READ_EVERY_MS = 100

/** A request, in milliseconds of `performance.now()`. */
interface Span {
  readonly from: number
  readonly to: number
}

/**
 * Creates index-0 pods as dry runs at a steady rate, or as fast as they are answered, until stopped. Meanwhile it reads an object, as the webhook does for each of
 * them: that no webhook answers in time while the API server itself has no processor says nothing about the webhook.
 */
export class ReviewLoad {
  readonly #environment: Environment
  readonly #job: V1Job
  readonly #timer: NodeJS.Timeout
  readonly #pending = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  readonly #reading: Promise<void>
  readonly #lateReads: Span[] = []
  readonly #missed: (Span & { readonly why: string })[] = []
  /** Number of pods that were returned with the sidecar. */
  answered = 0

  private constructor(environment: Environment, job: V1Job, perSecond: number) {
    this.#environment = environment
    this.#job = job
    this.#timer = setInterval(() => this.#add(), 1000 / perSecond)
    this.#reading = this.#read()
  }

  /** Why pods have no sidecar, although the API server was not late by itself. */
  get failures(): readonly string[] {
    return this.#missed.filter((one) => !this.#wasLate(one)).map(({ why }) => why)
  }

  /** Number of pods without a sidecar from times in which the API server was late by itself. */
  get late(): number {
    return this.#missed.length - this.failures.length
  }

  static async start(environment: Environment, perSecond: number): Promise<ReviewLoad> {
    return new ReviewLoad(environment, await jobOf(environment), perSecond)
  }

  /** Ends the load and waits for pending requests. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#pending)
    this.#stop.abort()
    await this.#reading
  }

  #add(): void {
    if (this.#pending.size >= IN_FLIGHT) return
    const review = this.#review().finally(() => this.#pending.delete(review))
    this.#pending.add(review)
  }

  async #review(): Promise<void> {
    const { cluster, namespace } = this.#environment
    const from = performance.now()
    const missed = (why: string) => {
      const to = performance.now()
      this.#missed.push({ from, to, why: `after ${Math.round(to - from)} ms: ${why}` })
    }
    try {
      const body = podOf(this.#job, 0)
      const request = { namespace, body, dryRun: 'All' }
      const { data, headers } = await cluster.core.createNamespacedPodWithHttpInfo(request)
      if (isInjected(data)) this.answered += 1
      else missed(headers.warning ?? 'the API server had no answer of the webhook')
    } catch (error) {
      missed(String(error))
    }
  }

  async #read(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const from = performance.now()
      await jobOf(this.#environment).catch(() => {})
      const to = performance.now()
      if (to - from > LATE_MS) this.#lateReads.push({ from, to })
      await pause(READ_EVERY_MS, undefined, { signal }).catch(() => {})
    }
  }

  #wasLate({ from, to }: Span): boolean {
    return this.#lateReads.some((read) => read.from < to && read.to > from)
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
