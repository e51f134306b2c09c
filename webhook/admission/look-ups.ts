// What has to be looked up to decide about a pod, in one place and within one deadline.

import { type MiniCluster, miniClusterOf, toJob, toMiniCluster } from '../injection/minicluster.ts'
import type { Cluster } from '../kubernetes/cluster.ts'
import { isSince, type ServerVersion } from '../kubernetes/server-version.ts'
import type { Candidate, Facts } from './decision.ts'

/** For all look-ups together: the API server gives us 3 s, and a pod that waits is worse than one without metrics. */
const DEADLINE_MS = 2_000

/** From this minor version of Kubernetes on, init containers may restart always. */
const NATIVE_SIDECARS_SINCE = { major: 1, minor: 29 } as const

/** An API server is upgraded now and then. */
const VERSION_LIFE_MS = 600_000

/** The only version that operators serve today; a look-up asks for the one that the owner reference has. */
const MINICLUSTER_VERSION = 'flux-framework.org/v1alpha2'

export interface FactSourceOptions {
  readonly cluster: Pick<Cluster, 'read'>
  readonly readVersion: () => Promise<ServerVersion>
  readonly deadlineMs?: number
}

/** Looks things up. */
export class FactSource {
  readonly #cluster: Pick<Cluster, 'read'>
  readonly #readVersion: () => Promise<ServerVersion>
  readonly #deadlineMs: number
  #version: { readonly value: ServerVersion; readonly readAt: number } | undefined

  constructor({ cluster, readVersion, deadlineMs = DEADLINE_MS }: FactSourceOptions) {
    this.#cluster = cluster
    this.#readVersion = readVersion
    this.#deadlineMs = deadlineMs
  }

  /**
   * Asks for what surely is not there, so that the first review of a new replica finds connections open, kinds known and
   * code compiled: it would be late otherwise. Never rejects.
   */
  async warmUp(namespace: string): Promise<void> {
    const nothing = { name: 'flux-metrics-warm-up', namespace }
    await Promise.allSettled([
      this.#serverVersion(),
      this.#cluster.read({ apiVersion: 'batch/v1', kind: 'Job', ...nothing }),
      this.#cluster.read({ apiVersion: MINICLUSTER_VERSION, kind: 'MiniCluster', ...nothing }),
    ])
  }

  /** @throws Error that says why not: the API server is away, slow, or forbids it */
  async gather(candidate: Candidate, namespace: string): Promise<Facts> {
    const [minicluster, version] = await this.#within(
      Promise.all([findMiniCluster(this.#cluster, candidate, namespace), this.#serverVersion()]),
    )
    return { minicluster, nativeSidecars: isSince(version, NATIVE_SIDECARS_SINCE) }
  }

  /** Remembered; where it cannot be read again, the old one is as good. */
  async #serverVersion(): Promise<ServerVersion> {
    const known = this.#version
    if (known !== undefined && performance.now() - known.readAt < VERSION_LIFE_MS) {
      return known.value
    }
    try {
      const value = await this.#readVersion()
      this.#version = { value, readAt: performance.now() }
      return value
    } catch (error) {
      if (known === undefined) throw error
      return known.value
    }
  }

  /** A call that is given up ends by its own time-out. */
  async #within<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>()
    const late = () => reject(new Error(`The API server did not answer in ${this.#deadlineMs} ms`))
    const timer = setTimeout(late, this.#deadlineMs)
    try {
      return await Promise.race([work, promise])
    } finally {
      clearTimeout(timer)
    }
  }
}

/**
 * The MiniCluster that controls the Job that controls a pod. Owners are found by name, and are the same only if they have
 * the same UID.
 *
 * @throws ClusterError if the API server does not say
 */
export async function findMiniCluster(
  cluster: Pick<Cluster, 'read'>,
  { job }: Candidate,
  namespace: string,
): Promise<MiniCluster | undefined> {
  const { apiVersion, kind, name } = job
  const found = toJob(await cluster.read({ apiVersion, kind, name, namespace }))
  const owner = found?.metadata.uid === job.uid ? miniClusterOf(found.metadata) : undefined
  if (owner === undefined) return undefined
  const minicluster = toMiniCluster(
    await cluster.read({
      apiVersion: owner.apiVersion,
      kind: owner.kind,
      name: owner.name,
      namespace,
    }),
  )
  return minicluster?.metadata.uid === owner.uid ? minicluster : undefined
}
