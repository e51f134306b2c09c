// Answers which pods of a MiniCluster are short, on demand. Whoever may read metrics can ask for any MiniCluster: so an answer is
// remembered for some seconds, askers of the same share a look, few looks run at a time, and the namespaces have their parts.
import { StatusError, unavailable } from '#serving/status.ts'
import { messageOf, shorten } from '#serving/text.ts'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { BoundedLookUps } from '../bounded-look-ups.ts'
import type { MiniClusterName, PeerJobs } from '../peers/peer.ts'
import { lookAt } from './look.ts'
import type { Shortage } from './shortage.ts'

/** An HPA asks every 15 s. What is said of pods that wait for minutes may be some seconds old. */
const LIFE_MS = 10_000

/** Looks at once. What users make large is slow to read, and 10,000 pods take some megabytes meanwhile. */
const MAX_UNDERWAY = 8

/** Of them, those of one namespace. */
const MAX_OF_NAMESPACE = 4

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
  readonly #lookUps = new BoundedLookUps<Shortage | StatusError>({
    lifeMs: LIFE_MS,
    maxUnderway: MAX_UNDERWAY,
    maxOfNamespace: MAX_OF_NAMESPACE,
  })

  constructor(cluster: Pick<Cluster, 'read' | 'list'>, peers: PeerJobs) {
    this.#cluster = cluster
    this.#peers = peers
  }

  async of(name: MiniClusterName, deadline: number): Promise<Shortage> {
    const job = this.#jobOf(name)
    const { namespace, minicluster } = name
    const key = `${namespace}/${minicluster}/${job}`
    const found = await this.#lookUps.find({ namespace, key }, deadline, () =>
      this.#look({ ...name, job }),
    )
    switch (found.kind) {
      case 'found':
        if (found.answer instanceof StatusError) throw found.answer
        return found.answer
      case 'late':
        throw unknown(name, 'the API server has not told all in time; ask again')
      case 'refused':
        throw unknown(name, 'too many questions about pods; ask again')
    }
  }

  /** The Job whose pods have the MiniCluster's sidecar. */
  #jobOf(name: MiniClusterName): string {
    const [job, ...others] = this.#peers.jobsOf(name)
    if (job === undefined) throw unknown(name, 'none of them has a sidecar')
    if (others.length > 0)
      throw unknown(name, 'several Jobs have a pod that says to be its lead broker')
    return job
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

function unknown({ namespace, minicluster }: MiniClusterName, why: string): StatusError {
  return unavailable(`The pods of MiniCluster ${namespace}/${minicluster} are not known: ${why}`)
}
