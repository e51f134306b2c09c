// Reads from the API server what a decision about a pod needs, within one deadline. Decides nothing.
import { sleep } from '#serving/waiting/sleep.ts'
import { readEnabled } from '../../injection/annotations.ts'
import {
  type MiniCluster,
  miniClusterOf,
  toJob,
  toMiniCluster,
} from '../../injection/minicluster.ts'
import type { Owner } from '../../injection/pod.ts'
import type { Policies } from '../../injection/resources/sidecar-resources.ts'
import { isTransient } from '../../kubernetes/api-connection.ts'
import type { Cluster } from '../../kubernetes/cluster.ts'
import {
  isSince,
  NATIVE_SIDECARS_SINCE,
  type ServerVersion,
} from '../../kubernetes/server-version.ts'
import type { Candidate, LookedUp } from '../decision.ts'
import { KnownVersion } from './known-version.ts'
import { LookUpQuota, TooManyLookUps } from './look-up-quota.ts'
import { readPolicies } from './policies.ts'

/** For all look-ups of a review. The API server waits 3 s for an answer, and a late pod is worse than no metrics. */
const DEADLINE_MS = 2_000

/**
 * Pauses before further attempts. An API server that has just failed over is back within them, and one whose cache is late
 * knows a new Job.
 */
const PAUSES_MS = [50, 150, 400]

/** For the warm-up: the only version that operators serve today. A look-up takes the version of the owner reference. */
const MINICLUSTER_VERSION = 'flux-framework.org/v1alpha2'

/** Characters of a reference. Names are shorter (RFC 1123), and UIDs have 36. */
const MAX_REFERENCE_LENGTH = 1_024

export interface LookUpsOptions {
  readonly cluster: Pick<Cluster, 'read' | 'list'>
  readonly readVersion: () => Promise<ServerVersion>
}

/** A MiniCluster as something refers to it. Whether it exists is not known. */
export type Reference = Pick<Owner, 'apiVersion' | 'name' | 'uid'>

/** Looks up the owners of pods. Equal look-ups at one time are made once, and there are not too many. */
export class LookUps {
  readonly #cluster: Pick<Cluster, 'read' | 'list'>
  readonly #version: KnownVersion
  readonly #quota = new LookUpQuota()
  readonly #underway = new Map<string, Promise<MiniCluster | undefined>>()
  readonly #policiesUnderway = new Map<string, Promise<Policies>>()

  constructor({ cluster, readVersion }: LookUpsOptions) {
    this.#cluster = cluster
    this.#version = new KnownVersion(readVersion)
  }

  /**
   * Reads objects that do not exist, so that a new replica has its connections open, its kinds discovered and its code
   * compiled before the first review, which would be late otherwise. Never rejects.
   */
  async warmUp(namespace: string): Promise<void> {
    const missing = { name: 'flux-metrics-warm-up', namespace }
    await Promise.allSettled([
      this.#version.get(),
      this.#cluster.read({ apiVersion: 'batch/v1', kind: 'Job', ...missing }),
      this.#cluster.read({ apiVersion: MINICLUSTER_VERSION, kind: 'MiniCluster', ...missing }),
    ])
  }

  /** @throws Error that says why: the API server is away, slow, or forbids the reading, or there are too many look-ups */
  async gather(candidate: Candidate, namespace: string): Promise<LookedUp> {
    const until = performance.now() + DEADLINE_MS
    const [minicluster, version] = await Promise.all([
      this.find(candidate, namespace),
      this.#version.get(),
    ])
    const nativeSidecars = version !== undefined && isSince(version, NATIVE_SIDECARS_SINCE)
    const isEnabled = candidate.enabled ?? readEnabled(minicluster?.metadata.annotations)
    if (minicluster === undefined || isEnabled !== true) {
      return { minicluster, nativeSidecars, policies: NO_POLICIES }
    }
    const policies = await this.#policies(namespace, until)
    return { minicluster, nativeSidecars, policies }
  }

  /**
   * The MiniCluster of a pod.
   *
   * @returns `undefined` if something else controls it, or an owner is not there
   * @throws Error as {@link gather}
   */
  async find({ job }: Candidate, namespace: string): Promise<MiniCluster | undefined> {
    const { apiVersion, kind, name, uid } = job
    const key = JSON.stringify([namespace, apiVersion, kind, name, uid])
    if (key.length > MAX_REFERENCE_LENGTH) return undefined
    const underway = this.#underway.get(key)
    if (underway !== undefined) return underway
    const read = () => readOwners(this.#cluster, job, namespace)
    const finding = withinDeadline((signal) => this.#persist(read, namespace, signal))
    this.#underway.set(key, finding)
    try {
      return await finding
    } finally {
      this.#underway.delete(key)
    }
  }

  /**
   * The MiniCluster that somebody refers to, if it exists with that UID.
   *
   * @throws Error as {@link gather}
   */
  async confirm(reference: Reference, namespace: string): Promise<MiniCluster | undefined> {
    const { apiVersion, name, uid } = reference
    if (JSON.stringify([apiVersion, name, uid]).length > MAX_REFERENCE_LENGTH) return undefined
    const read = () => readMiniCluster(this.#cluster, reference, namespace)
    return (await withinDeadline(() => this.#read(read, namespace))).minicluster
  }

  /** Read only for pods that will be injected, of MiniClusters that exist: strangers cannot cause these calls. */
  async #policies(namespace: string, until: number): Promise<Policies> {
    const underway = this.#policiesUnderway.get(namespace)
    if (underway !== undefined) return underway
    const reading = withinDeadline(
      (signal) => this.#persistPolicies(namespace, signal),
      until - performance.now(),
    )
    this.#policiesUnderway.set(namespace, reading)
    try {
      return await reading
    } finally {
      this.#policiesUnderway.delete(namespace)
    }
  }

  async #persistPolicies(namespace: string, signal: AbortSignal): Promise<Policies> {
    for (let attempt = 0; ; attempt += 1) {
      const pauseMs = PAUSES_MS[attempt]
      try {
        return await readPolicies(this.#cluster, namespace)
      } catch (error) {
        if (pauseMs === undefined || signal.aborted || !isTransient(error)) throw error
        await sleep(pauseMs, signal)
      }
    }
  }

  /** Tries again where the API server may answer otherwise in a moment. Nobody waits any more once `signal` is aborted. */
  async #persist(
    read: () => Promise<Owners>,
    namespace: string,
    signal: AbortSignal,
  ): Promise<MiniCluster | undefined> {
    for (let attempt = 0; ; attempt += 1) {
      const pauseMs = PAUSES_MS[attempt]
      try {
        const owners = await this.#read(read, namespace)
        if (!owners.isIncomplete || pauseMs === undefined) return owners.minicluster
      } catch (error) {
        if (pauseMs === undefined || !isTransient(error)) throw error
      }
      await sleep(pauseMs, signal)
      if (signal.aborted) return undefined
    }
  }

  async #read(read: () => Promise<Owners>, namespace: string): Promise<Owners> {
    const allowance = this.#quota.take(namespace)
    if (allowance === undefined) {
      throw new TooManyLookUps(namespace)
    }
    const owners = await read()
    if (owners.isKnown) allowance.found()
    return owners
  }
}

/** Rejects at the deadline. The calls go on until their own time-out. */
async function withinDeadline<T>(
  start: (signal: AbortSignal) => Promise<T>,
  leftMs = DEADLINE_MS,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const deadline = new AbortController()
  const late = () => {
    deadline.abort()
    reject(new Error(`The API server did not answer within ${DEADLINE_MS} ms`))
  }
  const timer = setTimeout(late, leftMs)
  try {
    return await Promise.race([start(deadline.signal), promise])
  } finally {
    clearTimeout(timer)
  }
}

/** What the API server knows of the owners of a pod. */
interface Owners {
  readonly minicluster: MiniCluster | undefined
  /** Whether the first of them exists: the look-up was worth its cost. */
  readonly isKnown: boolean
  /** Whether an owner is not there: it is deleted, or this API server does not know it yet. */
  readonly isIncomplete: boolean
}

const NO_POLICIES: Policies = { limitRanges: [], quotas: [] }

const NOTHING: Owners = { minicluster: undefined, isKnown: false, isIncomplete: true }

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
  return (await readOwners(cluster, job, namespace)).minicluster
}

async function readOwners(
  cluster: Pick<Cluster, 'read'>,
  job: Owner,
  namespace: string,
): Promise<Owners> {
  const { apiVersion, kind, name } = job
  const found = toJob(await cluster.read({ apiVersion, kind, name, namespace, metadataOnly: true }))
  if (found?.metadata.uid !== job.uid) return NOTHING
  const owner = miniClusterOf(found.metadata)
  // The operator gives the Job of the brokers the name of its MiniCluster. Any other Job may be owned by it, too.
  if (owner?.name !== name) return { minicluster: undefined, isKnown: true, isIncomplete: false }
  return { ...(await readMiniCluster(cluster, owner, namespace)), isKnown: true }
}

async function readMiniCluster(
  cluster: Pick<Cluster, 'read'>,
  { apiVersion, name, uid }: Reference,
  namespace: string,
): Promise<Owners> {
  const reference = { apiVersion, kind: 'MiniCluster', name, namespace }
  const minicluster = toMiniCluster(await cluster.read(reference))
  if (minicluster?.metadata.uid !== uid) return NOTHING
  return { minicluster, isKnown: true, isIncomplete: false }
}
