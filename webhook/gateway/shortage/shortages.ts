// Answers which pods of a MiniCluster are short, on demand. Whoever may read metrics can ask for any MiniCluster: so an answer is
// remembered for some seconds, askers of the same share a look, few looks run at a time, and the namespaces have their parts.
import { RecentMap } from '#serving/limits/recent-map.ts'
import { TokenBucket } from '#serving/limits/token-bucket.ts'
import { StatusError, unavailable } from '#serving/status.ts'
import { messageOf, shorten } from '#serving/text.ts'
import { untilDeadline } from '#serving/until-deadline.ts'
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { MiniClusterName, PeerJobs } from '../peers/peer.ts'
import { lookAt } from './look.ts'
import type { Shortage } from './shortage.ts'

/** An HPA asks every 15 s. What is said of pods that wait for minutes may be some seconds old. */
const LIFE_MS = 10_000

const MAX_REMEMBERED = 1_000

/** For all namespaces. Each look takes 4 to 8 calls for a MiniCluster of up to 500 pods. */
const RATE = { burst: 50, perSecond: 10 }

/** One namespace leaves most of it to the others. */
const RATE_OF_NAMESPACE = { burst: 20, perSecond: 2 }

const MAX_NAMESPACES = 1_000

/** Looks at once. What users make large is slow to read, and 10,000 pods take some megabytes meanwhile. */
const MAX_UNDERWAY = 8

/** Of them, those of one namespace. */
const MAX_OF_NAMESPACE = 4

interface Known {
  readonly result: Shortage | StatusError
  readonly until: number
}

/** Who knows which pods of a MiniCluster are short. */
export interface ShortageSource {
  /**
   * At most {@link LIFE_MS} old.
   *
   * @param deadline in milliseconds of `performance.now()`
   * @throws StatusError 404 if the MiniCluster is not there; 503 with the reason if its pods are not known
   */
  of(name: MiniClusterName, deadline: number): Promise<Shortage>
}

export class Shortages implements ShortageSource {
  readonly #cluster: Pick<Cluster, 'read' | 'list'>
  readonly #peers: PeerJobs
  readonly #known = new RecentMap<string, Known>(MAX_REMEMBERED)
  readonly #underway = new Map<string, Promise<Shortage | StatusError>>()
  readonly #running = new Map<string, number>()
  readonly #bucket = new TokenBucket(RATE, performance.now())
  readonly #ofNamespace = new RecentMap<string, TokenBucket>(MAX_NAMESPACES)

  constructor(cluster: Pick<Cluster, 'read' | 'list'>, peers: PeerJobs) {
    this.#cluster = cluster
    this.#peers = peers
  }

  async of(name: MiniClusterName, deadline: number): Promise<Shortage> {
    const job = this.#jobOf(name)
    const key = `${name.namespace}/${name.minicluster}/${job}`
    const known = this.#known.get(key)
    if (known !== undefined && performance.now() < known.until) return resultOf(known.result)
    const looking = this.#underway.get(key) ?? this.#start(key, { ...name, job })
    const result = await untilDeadline(looking, deadline)
    return resultOf(result ?? unknown(name, 'the API server has not told all in time; ask again'))
  }

  /** The Job whose pods have the MiniCluster's sidecar. */
  #jobOf(name: MiniClusterName): string {
    const [job, ...others] = this.#peers.jobsOf(name)
    if (job === undefined) throw unknown(name, 'none of them has a sidecar')
    if (others.length > 0)
      throw unknown(name, 'several Jobs have a pod that says to be its lead broker')
    return job
  }

  #start(
    key: string,
    target: MiniClusterName & { readonly job: string },
  ): Promise<Shortage | StatusError> {
    const { namespace } = target
    const running = this.#running.get(namespace) ?? 0
    const isFull = running >= MAX_OF_NAMESPACE || this.#underway.size >= MAX_UNDERWAY
    if (isFull || !this.#admit(namespace)) {
      return Promise.resolve(unknown(target, 'too many questions about pods; ask again'))
    }
    this.#running.set(namespace, running + 1)
    const looking = this.#look(target).finally(() => {
      this.#underway.delete(key)
      const left = (this.#running.get(namespace) ?? 1) - 1
      if (left === 0) this.#running.delete(namespace)
      else this.#running.set(namespace, left)
    })
    this.#underway.set(key, looking)
    void looking.then((result) => {
      this.#known.set(key, { result, until: performance.now() + LIFE_MS })
    })
    return looking
  }

  #admit(namespace: string): boolean {
    const now = performance.now()
    const bucket = this.#ofNamespace.get(namespace) ?? new TokenBucket(RATE_OF_NAMESPACE, now)
    this.#ofNamespace.set(namespace, bucket)
    // What its own bucket refuses takes nothing of the common one.
    return bucket.take(now) && this.#bucket.take(now)
  }

  async #look(target: MiniClusterName & { readonly job: string }): Promise<Shortage | StatusError> {
    try {
      return await lookAt(this.#cluster, target)
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) return error
      return unknown(target, shorten(messageOf(error)))
    }
  }
}

function resultOf(result: Shortage | StatusError): Shortage {
  if (result instanceof StatusError) throw result
  return result
}

function unknown({ namespace, minicluster }: MiniClusterName, why: string): StatusError {
  return unavailable(`The pods of MiniCluster ${namespace}/${minicluster} are not known: ${why}`)
}
