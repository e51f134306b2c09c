// Reads from the API server what a shortage follows from: size, pods, and Events where pods are short. The pods come from lists
// with a selector, so that other pods of the cluster cost nothing. Decides nothing, remembers nothing.
import { notFound, unavailable } from '#serving/status.ts'
import type { Cluster, ClusterObject, Collection } from '../../kubernetes/cluster.ts'
import { certainPartsOf } from '../../kubernetes/collect.ts'
import { isTooLong } from '../../kubernetes/connection/api-connection.ts'
import { MINICLUSTER, toMiniCluster } from '../../objects/minicluster.ts'
import type { MiniClusterName } from '../peers/peer.ts'
import { type Said, toSaid } from './event.ts'
import { type Obstacle, obstacleOf, type RankPod, toRankPod } from './rank-pod.ts'
import { type Shortage, type ShortGroup, shortageOf, withAutoscaler } from './shortage.ts'

/** The metadata of a pod has 3 KiB: a part is parsed within milliseconds. */
const METADATA_PARTS = { objects: 500, maxBytes: 2 ** 21, maxObjectBytes: 2 ** 21 } as const

/** Whole pods are larger. */
const PENDING = { objects: 50, maxBytes: 2 ** 21, maxObjectBytes: 2 ** 21 } as const

const EVENTS = { objects: 50, maxBytes: 2 ** 20, maxObjectBytes: 2 ** 20 } as const

/** More pods, also such as others labelled, or a larger size, are not looked at. A MiniCluster of a thousand nodes is large. */
const MAX_PODS = 10_000

/** Kubernetes keeps Events for an hour, and writes 25 of an object at once and 12 in an hour. Users can write more. */
const MAX_REFUSALS = 300

/** The whole look. */
const MAX_MS = 20_000

/** Node autoscalers write Events on each pod: of so many groups of pods, one pod's are read. */
const MAX_GROUPS = 3

export interface LookTarget extends MiniClusterName {
  /** UID of the Job that controls its pods. */
  readonly job: string
}

type Reader = Pick<Cluster, 'read' | 'list'>

/**
 * Looks at the pods of one MiniCluster.
 *
 * @throws StatusError 404 if the MiniCluster is not there, 503 if it is too large; ClusterError
 */
export async function lookAt(cluster: Reader, target: LookTarget): Promise<Shortage> {
  const until = performance.now() + MAX_MS
  const readAt = Date.now()
  const size = await readSize(cluster, target)
  const pods = await listPods(cluster, target, { fieldSelector: 'status.phase!=Failed', until })
  const fieldSelector = 'spec.nodeName=,status.phase=Pending'
  const unscheduled = await listPods(cluster, target, { fieldSelector, until })
  const wanted = [...pods, ...unscheduled].map(({ rank }) => rank).filter((rank) => rank < size)
  const isComplete = new Set(wanted).size === size
  const obstacles = await readObstacles(cluster, target)
  const refusals = isComplete ? [] : await readRefusals(cluster, target)
  const facts = { readAt, size, pods, unscheduled, obstacles, refusals }
  const shortage = shortageOf(facts)
  const uids = new Map(unscheduled.map(({ rank, uid }) => [rank, uid]))
  return { ...shortage, groups: await withAutoscalers(cluster, target, shortage.groups, uids) }
}

async function readSize(
  cluster: Reader,
  { namespace, minicluster }: MiniClusterName,
): Promise<number> {
  const what = `MiniCluster ${namespace}/${minicluster}`
  const reference = { ...MINICLUSTER, namespace, name: minicluster }
  const found = toMiniCluster(await cluster.read(reference))
  if (found === undefined) throw notFound(`${what} is not there`)
  // The CRD's default is 1.
  const size = found.spec?.size ?? 1
  if (!Number.isInteger(size) || size < 0 || size > MAX_PODS)
    throw unavailable(`${what} has a size of ${size}: its pods are not looked at`)
  return size
}

function podsOf({ namespace, minicluster }: MiniClusterName): Collection {
  return { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: `job-name=${minicluster}` }
}

async function listPods(
  cluster: Reader,
  target: LookTarget,
  { fieldSelector, until }: { readonly fieldSelector: string; readonly until: number },
): Promise<readonly RankPod[]> {
  const collection = { ...podsOf(target), fieldSelector, metadataOnly: true }
  const found: RankPod[] = []
  let seen = 0
  for await (const { items } of certainPartsOf(cluster, collection, METADATA_PARTS)) {
    seen += items.length
    if (seen > MAX_PODS) throw unavailable(`more than ${MAX_PODS} pods have its label`)
    if (performance.now() > until) throw unavailable(`its pods took longer than ${MAX_MS} ms`)
    found.push(...items.flatMap((item) => toRankPod(item, target.job) ?? []))
  }
  return found
}

/** Of many pending pods the first ones tell for all. */
async function readObstacles(
  cluster: Reader,
  target: LookTarget,
): Promise<ReadonlyMap<string, Obstacle>> {
  const collection = { ...podsOf(target), fieldSelector: 'status.phase=Pending' }
  const items = await firstOf(cluster, collection, PENDING)
  return new Map(
    items.flatMap((item) => {
      const pod = toRankPod(item, target.job)
      const obstacle = obstacleOf(item)
      return pod === undefined || obstacle === undefined ? [] : [[pod.uid, obstacle] as const]
    }),
  )
}

/**
 * All of them: one that is missed would be ranks that are not counted.
 *
 * @throws StatusError 503 if they are too many or too long
 */
async function readRefusals(
  cluster: Reader,
  { namespace, minicluster, job }: LookTarget,
): Promise<readonly Said[]> {
  const about = `involvedObject.kind=Job,involvedObject.name=${minicluster},involvedObject.uid=${job}`
  const fieldSelector = `${about},reason=FailedCreate`
  const collection = { apiVersion: 'v1', kind: 'Event', namespace, fieldSelector }
  const found: Said[] = []
  let seen = 0
  try {
    for await (const { items } of certainPartsOf(cluster, collection, EVENTS)) {
      seen += items.length
      if (seen > MAX_REFUSALS) {
        throw unavailable(`more than ${MAX_REFUSALS} Events say that its pods are refused`)
      }
      found.push(...items.flatMap((item) => toSaid(item) ?? []))
    }
  } catch (error) {
    if (isTooLong(error)) throw unavailable('the Events of refused pods are too long')
    throw error
  }
  return found
}

/** What node autoscalers say of a pod. */
async function readEvents(
  cluster: Reader,
  namespace: string,
  uid: string,
): Promise<readonly Said[]> {
  const fieldSelector = `involvedObject.uid=${uid}`
  const collection = { apiVersion: 'v1', kind: 'Event', namespace, fieldSelector }
  return (await firstOf(cluster, collection, EVENTS)).flatMap((item) => toSaid(item) ?? [])
}

/** Words only, no count depends on them: the first part alone, and nothing if users made its objects too large. */
async function firstOf(
  cluster: Reader,
  collection: Collection,
  bounds: typeof PENDING | typeof EVENTS,
): Promise<readonly ClusterObject[]> {
  try {
    for await (const { items } of certainPartsOf(cluster, collection, bounds)) return items
    return []
  } catch (error) {
    if (isTooLong(error)) return []
    throw error
  }
}

async function withAutoscalers(
  cluster: Reader,
  { namespace }: LookTarget,
  groups: readonly ShortGroup[],
  uids: ReadonlyMap<number, string>,
): Promise<readonly ShortGroup[]> {
  const asked = groups.filter(({ kind }) => kind === 'unscheduled').slice(0, MAX_GROUPS)
  const answered = await Promise.all(
    asked.map(async (group): Promise<readonly [ShortGroup, ShortGroup]> => {
      const uid = uids.get(group.ranks.ranges[0]?.first ?? -1) ?? ''
      const said = await readEvents(cluster, namespace, uid)
      return [group, withAutoscaler(group, said)]
    }),
  )
  const byGroup = new Map(answered)
  return groups.map((group) => byGroup.get(group) ?? group)
}
