// The pods with sidecars by MiniCluster, as they were listed and have changed since: bounded, and without any call.
// Which of them may be asked is decided here; that they are who they say is proved by their certificates (asking/).
import type { ClusterObject } from '../../kubernetes/cluster.ts'
import type { Store } from '../../kubernetes/collection-watch.ts'
import type { MiniClusterName, Peer, PeerLookup } from './peer.ts'
import { type SidecarPod, type SidecarState, toSidecarPod } from './sidecar-pod.ts'

/** More are never asked. Usually there is one. */
const MAX_CANDIDATES = 8

/** Less than a kilobyte is kept of each pod. */
const MAX_PODS = 20_000

/** One namespace does not hide the others. */
const MAX_PODS_OF_NAMESPACE = 2_000

/** What is left out where there is more. */
export interface Bounds {
  readonly pods: number
  readonly podsOfNamespace: number
}

type PodsByName = Map<string, SidecarPod>

export class PeerRegistry implements Store {
  readonly #bounds: Bounds
  readonly #onGone: (name: MiniClusterName) => void
  /** By namespace and name. */
  readonly #pods = new Map<string, PodsByName>()
  /** By namespace, MiniCluster and name. */
  readonly #miniclusters = new Map<string, Map<string, PodsByName>>()
  readonly #cutNamespaces = new Set<string>()
  #size = 0
  #omitted = 0

  /** @param onGone is called when the last pod of a MiniCluster has gone that has not finished */
  constructor(
    bounds: Bounds = { pods: MAX_PODS, podsOfNamespace: MAX_PODS_OF_NAMESPACE },
    onGone: (name: MiniClusterName) => void = () => {},
  ) {
    this.#bounds = bounds
    this.#onGone = onGone
  }

  /** How many states of pods were left out because there were too many pods. */
  get omitted(): number {
    return this.#omitted
  }

  /** Whether pods of a namespace were left out: perhaps not all of its MiniClusters are known. */
  isCut(namespace: string): boolean {
    return this.#cutNamespaces.has(namespace)
  }

  put(object: ClusterObject): void {
    const former = this.#drop(object)
    this.#add(object)
    this.#noteIfGone(former)
  }

  remove(object: ClusterObject): void {
    this.#noteIfGone(this.#drop(object))
  }

  #add(object: ClusterObject): void {
    const pod = toSidecarPod(object)
    if (pod === undefined) return
    const { namespace, minicluster } = pod
    if (!this.#hasRoom(namespace) && !this.#makeRoom(pod)) {
      this.#omitted += 1
      this.#cutNamespaces.add(namespace)
      return
    }
    const ofNamespace: PodsByName = this.#pods.get(namespace) ?? new Map()
    this.#pods.set(namespace, ofNamespace.set(pod.pod, pod))
    const names = this.#miniclusters.get(namespace) ?? new Map<string, PodsByName>()
    const ofMiniCluster: PodsByName = names.get(minicluster) ?? new Map()
    names.set(minicluster, ofMiniCluster.set(pod.pod, pod))
    this.#miniclusters.set(namespace, names)
    this.#size += 1
  }

  #hasRoom(namespace: string): boolean {
    const { pods, podsOfNamespace } = this.#bounds
    return this.#size < pods && (this.#pods.get(namespace)?.size ?? 0) < podsOfNamespace
  }

  /**
   * Jobs that have ended leave their pods, thousands of them: one makes room. So does an older pod of the same MiniCluster, which
   * would else answer in place of the newer one.
   */
  #makeRoom({ namespace, minicluster, createdAt }: SidecarPod): boolean {
    const ofNamespace = [...(this.#pods.get(namespace)?.values() ?? [])]
    const same = [...(this.#miniclusters.get(namespace)?.get(minicluster)?.values() ?? [])]
    const oldest = same.sort(byAge).at(-1)
    const older = oldest !== undefined && oldest.createdAt < createdAt ? oldest : undefined
    const dispensable =
      older ?? ofNamespace.find(isOf('finished')) ?? ofNamespace.find(isOf('over'))
    if (dispensable === undefined) return false
    this.#forget(dispensable)
    if (dispensable === older) return true
    this.#noteIfGone(dispensable)
    // Its Job may make another pod.
    if (dispensable.state.kind === 'over') this.#cutNamespaces.add(namespace)
    return true
  }

  /** @returns what was kept of the object */
  #drop({ metadata: { namespace = '', name = '' } = {} }: ClusterObject): SidecarPod | undefined {
    const pod = this.#pods.get(namespace)?.get(name)
    if (pod !== undefined) this.#forget(pod)
    return pod
  }

  #forget({ namespace, minicluster, pod: name }: SidecarPod): void {
    const ofNamespace = this.#pods.get(namespace)
    const names = this.#miniclusters.get(namespace)
    const ofMiniCluster = names?.get(minicluster)
    ofNamespace?.delete(name)
    ofMiniCluster?.delete(name)
    if (ofMiniCluster?.size === 0) names?.delete(minicluster)
    if (names?.size === 0) this.#miniclusters.delete(namespace)
    if (ofNamespace?.size === 0) this.#pods.delete(namespace)
    this.#size -= 1
  }

  #noteIfGone(former: SidecarPod | undefined): void {
    if (former === undefined || former.state.kind === 'finished') return
    const { namespace, minicluster } = former
    if (this.#miniclusters.get(namespace)?.has(minicluster) !== true)
      this.#onGone({ namespace, minicluster })
  }

  find({ namespace, minicluster }: MiniClusterName): PeerLookup {
    const pods = this.#miniclusters.get(namespace)?.get(minicluster)
    if (pods === undefined) return { kind: 'absent' }
    const newestFirst = [...pods.values()].sort(byAge)
    const askable = withoutForeign(newestFirst)
    if (askable.length > 0) return { kind: 'found', peers: candidatesOf(askable).flatMap(toPeer) }
    const first = newestFirst.find(isOf('waiting')) ?? newestFirst.find(isOf('over', 'finished'))
    if (first === undefined || first.state.kind === 'askable') return { kind: 'absent' }
    return { kind: 'unready', pod: first.pod, why: first.state.why }
  }

  jobsOf({ namespace, minicluster }: MiniClusterName): readonly string[] {
    const pods = this.#miniclusters.get(namespace)?.get(minicluster)?.values() ?? []
    const alive = [...pods].filter(isOf('askable', 'waiting'))
    return [...new Set(alive.map(({ job }) => job))]
  }

  inNamespace(namespace: string): readonly MiniClusterName[] {
    const all = [...(this.#miniclusters.get(namespace) ?? [])]
    const names = all.flatMap(([name, pods]) => (isFinished([...pods.values()]) ? [] : [name]))
    return names.sort().map((minicluster) => ({ namespace, minicluster }))
  }

  all(): readonly MiniClusterName[] {
    return [...this.#miniclusters.keys()].sort().flatMap((name) => this.inNamespace(name))
  }
}

function isOf(...kinds: readonly SidecarState['kind'][]): (pod: SidecarPod) => boolean {
  return ({ state }) => kinds.includes(state.kind)
}

/** A MiniCluster whose lead broker has succeeded has no nodes any more, and stays until somebody deletes it. */
function isFinished(pods: readonly SidecarPod[]): boolean {
  if (!pods.every(isOf('over', 'finished'))) return false
  const [newest] = [...pods].sort(byAge)
  return newest?.state.kind === 'finished'
}

/** Newest first. Times have whole seconds: at the same time, what cannot be asked comes first. */
function byAge(one: SidecarPod, other: SidecarPod): number {
  return (
    other.createdAt - one.createdAt ||
    Number(one.state.kind === 'askable') - Number(other.state.kind === 'askable') ||
    (one.uid < other.uid ? -1 : 1)
  )
}

/**
 * The pods that can be asked. An older one never answers for a newer one that cannot, or cannot any more: it may be of the former
 * MiniCluster of that name, so that its numbers are wrong. A pod of the same Job is of the same MiniCluster.
 */
function withoutForeign(newestFirst: readonly SidecarPod[]): readonly SidecarPod[] {
  const unaskable = new Set<string>()
  const askable: SidecarPod[] = []
  for (const pod of newestFirst) {
    if (pod.state.kind !== 'askable') unaskable.add(pod.job)
    else if ([...unaskable].every((job) => job === pod.job)) askable.push(pod)
    else break
  }
  return askable
}

/**
 * Those that are asked, if there are too many. A real pod is older than its copies, or newer than those of its
 * predecessor: so both ends are kept, of each Job and of all.
 *
 * Kubernetes soon ends most copies: pods of a Job that does not exist are collected, and a Job releases pods that its
 * selector does not select.
 */
function candidatesOf(newestFirst: readonly SidecarPod[]): readonly SidecarPod[] {
  const newest = new Map<string, SidecarPod>()
  const oldest = new Map<string, SidecarPod>()
  for (const pod of newestFirst) {
    if (!newest.has(pod.job)) newest.set(pod.job, pod)
    oldest.set(pod.job, pod)
  }
  const few = newestFirst.filter(
    (pod) => newest.get(pod.job) === pod || oldest.get(pod.job) === pod,
  )
  if (few.length <= MAX_CANDIDATES) return few
  const half = MAX_CANDIDATES / 2
  return [...few.slice(0, half), ...few.slice(-half)]
}

function toPeer({ state, ...pod }: SidecarPod): readonly Peer[] {
  if (state.kind !== 'askable') return []
  const { address, port } = state
  return [{ ...pod, address, port }]
}
