// Which wanted ranks of a MiniCluster have no pod on a node, since when, and why: what follows from its pods and Events. Pure.
import { idsetOf } from '#flux/sets/id-list.ts'
import type { Idset } from '#flux/sets/idset.ts'
import type { Said } from './event.ts'
import type { Obstacle, RankPod } from './rank-pod.ts'
import { autoscalerCause, isOfAutoscaler, refusalCause } from './reasons.ts'

/** Pods of a size that has just grown are scheduled within seconds, and a node autoscaler needs a moment to answer. */
export const SHORT_AFTER_MS = 60_000

/**
 * Ranks with one state and one cause. `unscheduled`: the pod is on no node. `refused`: the API server refuses to create the pod.
 * `missing`: there is no pod, and nobody says why. `not-starting`: the pod is on a node and its containers cannot start.
 */
export interface ShortGroup {
  readonly kind: 'unscheduled' | 'refused' | 'missing' | 'not-starting'
  readonly ranks: Idset
  /** The longest time of a rank, in milliseconds since 1970; `undefined` if it is not known. */
  readonly since: number | undefined
  /** Short texts, the most important first; perhaps none. */
  readonly causes: readonly string[]
}

/** The shortage of a MiniCluster at one time. */
export interface Shortage {
  /** When its pods were listed, in milliseconds since 1970. */
  readonly readAt: number
  /** `spec.size` of the MiniCluster: the ranks below it are wanted. */
  readonly size: number
  /** Wanted ranks whose pods could not be scheduled or created for longer than {@link SHORT_AFTER_MS}. */
  readonly unavailable: number
  readonly groups: readonly ShortGroup[]
}

/** What the API server told of one MiniCluster. */
export interface PodFacts {
  readonly readAt: number
  readonly size: number
  /** The pods of its Job that have not failed, wherever they are. */
  readonly pods: readonly RankPod[]
  /** Those of them that are pending and on no node. */
  readonly unscheduled: readonly RankPod[]
  /** What keeps pending pods from running, by UID; of very many only some are known. */
  readonly obstacles: ReadonlyMap<string, Obstacle>
  /** The Events `FailedCreate` of its Job. */
  readonly refusals: readonly Said[]
}

export function shortageOf(facts: PodFacts): Shortage {
  const { readAt, size } = facts
  const unscheduled = firstOfRanks(facts.unscheduled, size)
  const present = firstOfRanks(facts.pods, size)
  const missing: number[] = []
  for (let rank = 0; rank < size; rank += 1) {
    if (!present.has(rank) && !unscheduled.has(rank)) missing.push(rank)
  }
  const refusal = missing.length === 0 ? undefined : refusalOf(facts)
  const isLong = (since: number) => readAt - since >= SHORT_AFTER_MS
  const waiting = [...unscheduled.values()].filter(({ createdAt }) => isLong(createdAt)).length
  const refused = refusal !== undefined && isLong(refusal.since) ? missing.length : 0
  const groups = [
    ...unscheduledGroups([...unscheduled.values()], facts),
    ...(missing.length === 0 ? [] : [missingGroup(missing, refusal)]),
    ...notStartingGroups([...present.values()], facts),
  ]
  return { readAt, size, unavailable: waiting + refused, groups }
}

/** One pod a rank. The Job controller deletes all but one. */
function firstOfRanks(pods: readonly RankPod[], size: number): ReadonlyMap<number, RankPod> {
  const first = new Map<number, RankPod>()
  const ascending = [...pods].sort((a, b) => a.rank - b.rank || a.createdAt - b.createdAt)
  for (const pod of ascending) if (pod.rank < size && !first.has(pod.rank)) first.set(pod.rank, pod)
  return first
}

/** Of pods whose cause is not known, the others of the MiniCluster tell it if they have one cause alone. */
function unscheduledGroups(
  pods: readonly RankPod[],
  { obstacles }: PodFacts,
): readonly ShortGroup[] {
  const causeOf = ({ uid }: RankPod) => {
    const obstacle = obstacles.get(uid)
    return obstacle?.kind === 'unscheduled' ? obstacle.cause : undefined
  }
  const known = new Set(pods.flatMap((pod) => causeOf(pod) ?? []))
  const [only] = known.size === 1 ? known : []
  const groups = groupBy(pods, (pod) => causeOf(pod) ?? only ?? '')
  return groups.map(([cause, members]) => ({
    kind: 'unscheduled',
    ranks: idsetOf(members.map(({ rank }) => rank)),
    since: Math.min(...members.map(({ createdAt }) => createdAt)),
    causes: cause === '' ? [] : [cause],
  }))
}

function notStartingGroups(
  pods: readonly RankPod[],
  { obstacles }: PodFacts,
): readonly ShortGroup[] {
  const failing = pods.filter(({ uid }) => obstacles.get(uid)?.kind === 'not-starting')
  const groups = groupBy(failing, ({ uid }) => obstacles.get(uid)?.cause ?? '')
  return groups.map(([cause, members]) => ({
    kind: 'not-starting',
    ranks: idsetOf(members.map(({ rank }) => rank)),
    since: Math.min(...members.map(({ createdAt }) => createdAt)),
    causes: [cause],
  }))
}

/** The largest group first. */
function groupBy(
  pods: readonly RankPod[],
  keyOf: (pod: RankPod) => string,
): readonly (readonly [string, readonly RankPod[]])[] {
  const groups = new Map<string, RankPod[]>()
  for (const pod of pods) {
    const key = keyOf(pod)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [pod])
    else group.push(pod)
  }
  return [...groups].sort(([, one], [, other]) => other.length - one.length)
}

interface Refusal {
  readonly since: number
  readonly cause: string
}

function missingGroup(missing: readonly number[], refusal: Refusal | undefined): ShortGroup {
  const ranks = idsetOf(missing)
  if (refusal === undefined) return { kind: 'missing', ranks, since: undefined, causes: [] }
  return { kind: 'refused', ranks, since: refusal.since, causes: [refusal.cause] }
}

/** The Job controller tries again within a minute, and Kubernetes writes at least one Event in five. */
const REFUSAL_AGE_MS = 360_000

/** Times of Events and of pods have whole seconds. */
const SECOND_MS = 1_000

/**
 * Why pods are not created now. Since a pod was created last: an older refusal may be of a cause that is over, so that the time is
 * never too long.
 */
function refusalOf({ readAt, pods, refusals }: PodFacts): Refusal | undefined {
  const newest = pods.reduce((latest, { createdAt }) => Math.max(latest, createdAt), 0)
  const current = refusals.filter(
    ({ lastAt }) => lastAt >= newest - SECOND_MS && readAt - lastAt < REFUSAL_AGE_MS,
  )
  const [first, ...others] = current
  if (first === undefined) return undefined
  const latest = others.reduce((one, other) => (other.lastAt > one.lastAt ? other : one), first)
  const since = Math.max(newest, Math.min(...current.map(({ firstAt }) => firstAt)))
  return { since, cause: refusalCause(latest.message) }
}

/** Adds what node autoscalers say of one pod of a group. */
export function withAutoscaler(group: ShortGroup, said: readonly Said[]): ShortGroup {
  const theirs = said.filter(
    (one) => isOfAutoscaler(one) && one.lastAt >= (group.since ?? 0) - SECOND_MS,
  )
  const [first, ...others] = theirs
  if (first === undefined) return group
  const latest = others.reduce((one, other) => (other.lastAt > one.lastAt ? other : one), first)
  return { ...group, causes: [...group.causes, autoscalerCause(latest)] }
}
