// Finds out why a MiniCluster has no pod with a sidecar. Anybody who may read metrics can ask for any name: so there are
// not too many calls to the API server, and answers are remembered for a moment.
import { type StatusError, unavailable } from '#serving/status.ts'
import { messageOf, shorten } from '#serving/text.ts'
import { preselect } from '../../admission/decision.ts'
import { pathOf } from '../../kubernetes/api-path.ts'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { MINICLUSTER, toMiniCluster } from '../../objects/minicluster.ts'
import { type Pod, toPod } from '../../objects/pod.ts'
import { BoundedLookUps } from '../bounded-look-ups.ts'
import { absenceOf, notThere } from './absence.ts'
import type { MiniClusterName } from './peer.ts'

/** An HPA asks every 15 s, for several metrics at once. */
const LIFE_MS = 5_000

/** They are listed by name, and that of index 0 sorts before the others. The index is no label before Kubernetes 1.28. */
const MAX_PODS = 4

/** Pods have 20 KB. Users can make them larger than the gateway should parse for a sentence. */
const MAX_PODS_BYTES = 512 * 2 ** 10

/** A Job, and the label with its name, has no longer name. */
const MAX_LABEL_LENGTH = 63

export class Absences {
  readonly #cluster: Pick<Cluster, 'read' | 'list'>
  readonly #lookUps = new BoundedLookUps<StatusError>({ lifeMs: LIFE_MS })

  constructor(cluster: Pick<Cluster, 'read' | 'list'>) {
    this.#cluster = cluster
  }

  /**
   * What to answer about a MiniCluster without a sidecar. Never rejects.
   *
   * @param deadline in milliseconds of `performance.now()`
   */
  async whyAbsent(name: MiniClusterName, deadline: number): Promise<StatusError> {
    const { namespace, minicluster } = name
    // No object can have such a name. It is quoted shortened.
    if (pathOf({ ...MINICLUSTER, namespace, name: minicluster }) === undefined) {
      return notThere({ namespace: shorten(namespace), minicluster: shorten(minicluster) })
    }
    const key = `${namespace}/${minicluster}`
    const found = await this.#lookUps.find({ namespace, key }, deadline, () => this.#find(name))
    switch (found.kind) {
      case 'found':
        return found.answer
      case 'late':
        return unknown(name, 'it did not answer in time')
      case 'refused': {
        const why = 'why is not looked up now: too many questions about MiniClusters without one'
        return unavailable(`No sidecar of MiniCluster ${key} is known; ${why}`)
      }
    }
  }

  async #find(name: MiniClusterName): Promise<StatusError> {
    try {
      const { namespace, minicluster } = name
      const reference = { ...MINICLUSTER, namespace, name: minicluster }
      const found = toMiniCluster(await this.#cluster.read(reference))
      return absenceOf(name, found, found === undefined ? [] : await this.#pods(name))
    } catch (error) {
      return unknown(name, messageOf(error))
    }
  }

  /** Those that look like its lead broker. */
  async #pods({ namespace, minicluster }: MiniClusterName): Promise<readonly Pod[]> {
    if (minicluster.length > MAX_LABEL_LENGTH) return []
    const labelSelector = `job-name=${minicluster}`
    const pods = { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector }
    const bounds = { limit: MAX_PODS, maxBytes: MAX_PODS_BYTES }
    const { items } = await this.#cluster.list(pods, bounds)
    return items
      .flatMap((object) => toPod(object) ?? [])
      .filter((pod) => preselect(pod).kind === 'candidate')
  }
}

function unknown({ namespace, minicluster }: MiniClusterName, why: string): StatusError {
  const what = `No sidecar of MiniCluster ${namespace}/${minicluster} is known`
  return unavailable(`${what}, and the API server cannot be asked why: ${shorten(why)}`)
}
