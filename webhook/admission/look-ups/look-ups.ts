// Reads from the API server what a decision about a pod needs, within one deadline. Decides nothing.
import { sleep } from '#serving/waiting/sleep.ts'
import type { Policies } from '../../injection/resources/sidecar-resources.ts'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { isTransient } from '../../kubernetes/connection/api-connection.ts'
import {
  isSince,
  NATIVE_SIDECARS_SINCE,
  type ServerVersion,
} from '../../kubernetes/server-version.ts'
import { readEnabled } from '../../objects/annotations.ts'
import { MINICLUSTER, type MiniCluster } from '../../objects/minicluster.ts'
import type { Candidate, LookedUp } from '../decision.ts'
import { KnownVersion } from './known-version.ts'
import { LookUpQuota, TooManyLookUps } from './look-up-quota.ts'
import { type Owners, type Reference, readMiniCluster, readOwners } from './owners.ts'
import { readPolicies } from './policies.ts'

/** For all look-ups of a review. The API server waits 3 s for an answer, and a late pod is worse than no metrics. */
const DEADLINE_MS = 2_000

/**
 * Pauses before further attempts. An API server that has just failed over is back within them, and one whose cache is late
 * knows a new Job.
 */
const PAUSES_MS = [50, 150, 400]

/** Characters of a reference. Names are shorter (RFC 1123), and UIDs have 36. */
const MAX_REFERENCE_LENGTH = 1_024

export interface LookUpsOptions {
  readonly cluster: Pick<Cluster, 'read' | 'list'>
  readonly readVersion: () => Promise<ServerVersion>
}

/** Looks up the owners of pods. Equal look-ups at one time are made once, and there are not too many. */
export class LookUps {
  readonly #cluster: Pick<Cluster, 'read' | 'list'>
  readonly #version: KnownVersion
  readonly #quota = new LookUpQuota()
  readonly #underway = new Map<string, Promise<Owners>>()
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
      this.#cluster.read({ ...MINICLUSTER, ...missing }),
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
    const read = () => this.#read(() => readOwners(this.#cluster, job, namespace), namespace)
    const isWhole = ({ isIncomplete }: Owners) => !isIncomplete
    const owners = await share(this.#underway, key, () =>
      withinDeadline((signal) => persist(read, { isWhole, signal })),
    )
    return owners.minicluster
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
    const read = () => readPolicies(this.#cluster, namespace)
    return share(this.#policiesUnderway, namespace, () =>
      withinDeadline((signal) => persist(read, { signal }), until - performance.now()),
    )
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

/** The call under way for the same, or a new one. */
async function share<T>(
  underway: Map<string, Promise<T>>,
  key: string,
  start: () => Promise<T>,
): Promise<T> {
  const known = underway.get(key)
  if (known !== undefined) return known
  const started = start()
  underway.set(key, started)
  try {
    return await started
  } finally {
    underway.delete(key)
  }
}

/**
 * Tries again where the API server may answer otherwise in a moment. Nobody waits any more once `signal` is aborted.
 *
 * @param isWhole whether an answer is not to be asked for again. Default: every answer is
 */
async function persist<T>(
  read: () => Promise<T>,
  { signal, isWhole = () => true }: { signal: AbortSignal; isWhole?: (answer: T) => boolean },
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const pauseMs = PAUSES_MS[attempt]
    try {
      const answer = await read()
      if (isWhole(answer) || pauseMs === undefined) return answer
    } catch (error) {
      if (pauseMs === undefined || !isTransient(error)) throw error
    }
    await sleep(pauseMs, signal)
    signal.throwIfAborted()
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

const NO_POLICIES: Policies = { limitRanges: [], quotas: [] }
