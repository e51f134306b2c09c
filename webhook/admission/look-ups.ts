// Reads from the API server what a decision about a pod needs, within one deadline. Decides nothing.
import { type MiniCluster, miniClusterOf, toJob, toMiniCluster } from '../injection/minicluster.ts'
import type { Cluster } from '../kubernetes/cluster.ts'
import { isSince, type ServerVersion } from '../kubernetes/server-version.ts'
import type { Candidate, LookedUp } from './decision.ts'

/** For all look-ups of a review. The API server waits 3 s for an answer, and a late pod is worse than no metrics. */
const DEADLINE_MS = 2_000

/** Since this version of Kubernetes an init container may always restart. */
const NATIVE_SIDECARS_SINCE = { major: 1, minor: 29 } as const

/** The version is read again after this time, because API servers are upgraded. */
const VERSION_LIFE_MS = 600_000

/** For the warm-up: the only version that operators serve today. A look-up takes the version of the owner reference. */
const MINICLUSTER_VERSION = 'flux-framework.org/v1alpha2'

export interface LookUpsOptions {
  readonly cluster: Pick<Cluster, 'read'>
  readonly readVersion: () => Promise<ServerVersion>
}

/** Looks up the owners of pods, and keeps the version of the API server. */
export class LookUps {
  readonly #cluster: Pick<Cluster, 'read'>
  readonly #readVersion: () => Promise<ServerVersion>
  #version: { readonly value: ServerVersion; readonly readAt: number } | undefined

  constructor({ cluster, readVersion }: LookUpsOptions) {
    this.#cluster = cluster
    this.#readVersion = readVersion
  }

  /**
   * Reads objects that do not exist, so that a new replica has its connections open, its kinds discovered and its code
   * compiled before the first review, which would be late otherwise. Never rejects.
   */
  async warmUp(namespace: string): Promise<void> {
    const missing = { name: 'flux-metrics-warm-up', namespace }
    await Promise.allSettled([
      this.#serverVersion(),
      this.#cluster.read({ apiVersion: 'batch/v1', kind: 'Job', ...missing }),
      this.#cluster.read({ apiVersion: MINICLUSTER_VERSION, kind: 'MiniCluster', ...missing }),
    ])
  }

  /** @throws Error that says why: the API server is away, slow, or forbids the reading */
  async gather(candidate: Candidate, namespace: string): Promise<LookedUp> {
    const [minicluster, version] = await withinDeadline(
      Promise.all([findMiniCluster(this.#cluster, candidate, namespace), this.#serverVersion()]),
    )
    return { minicluster, nativeSidecars: isSince(version, NATIVE_SIDECARS_SINCE) }
  }

  /** Kept for a while. If it cannot be read again, the old one is used. */
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
}

/** Rejects at the deadline. The calls go on until their own time-out. */
async function withinDeadline<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const late = () => reject(new Error(`The API server did not answer within ${DEADLINE_MS} ms`))
  const timer = setTimeout(late, DEADLINE_MS)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * The MiniCluster that controls the Job that controls a pod. An owner is read by its name, and is the right one only if its
 * UID is that of the owner reference.
 *
 * @throws ClusterError if the API server does not answer, or forbids the reading
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
