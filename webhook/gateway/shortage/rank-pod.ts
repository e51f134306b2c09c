// One pod of a MiniCluster's Job: its rank, and what keeps it from running. Pure. Anybody in the namespace can make pods with the
// labels of others: only those that the Job controls count, known by its UID.
import * as v from 'valibot'
import type { ClusterObject } from '../../kubernetes/cluster.ts'
import { Conditions, conditionOf } from '../../objects/conditions.ts'
import { completionIndexOf, controllerOf } from '../../objects/pod.ts'
import { plain, schedulerCauses } from './reasons.ts'

/** A pod that has not ended and is not being deleted. */
export interface RankPod {
  /** Its index, which is the rank. */
  readonly rank: number
  readonly uid: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
}

const Texts = v.nullish(v.record(v.string(), v.string()), {})

const MetadataSchema = v.object({
  uid: v.string(),
  creationTimestamp: v.string(),
  deletionTimestamp: v.nullish(v.string()),
  labels: Texts,
  annotations: Texts,
  ownerReferences: v.nullish(
    v.array(v.object({ kind: v.string(), uid: v.string(), controller: v.nullish(v.boolean()) })),
    [],
  ),
})

/** An index has no sign and no leading zeros. */
const INDEX = /^(?:0|[1-9]\d{0,6})$/

/** @returns `undefined` for a pod that the Job does not control, or that has no index, or is being deleted */
export function toRankPod(object: ClusterObject, job: string): RankPod | undefined {
  const parsed = v.safeParse(MetadataSchema, object.metadata)
  if (!parsed.success) return undefined
  const { uid, creationTimestamp, deletionTimestamp, ...metadata } = parsed.output
  const owner = controllerOf(metadata)
  if (owner?.kind !== 'Job' || owner.uid !== job) return undefined
  if ((deletionTimestamp ?? undefined) !== undefined) return undefined
  const index = completionIndexOf(metadata)
  const createdAt = Date.parse(creationTimestamp)
  if (index === undefined || !INDEX.test(index) || Number.isNaN(createdAt)) return undefined
  return { rank: Number(index), uid, createdAt }
}

const State = v.nullish(
  v.object({
    waiting: v.nullish(v.object({ reason: v.nullish(v.string()), message: v.nullish(v.string()) })),
  }),
)

const Statuses = v.nullish(v.array(v.object({ state: State })), [])

const PendingSchema = v.object({
  spec: v.object({ nodeName: v.nullish(v.string()) }),
  status: v.nullish(
    v.object({
      conditions: Conditions,
      initContainerStatuses: Statuses,
      containerStatuses: Statuses,
    }),
    {},
  ),
})

type Pending = v.InferOutput<typeof PendingSchema>

/** Of containers that wait for other reasons, such as `PodInitializing`, nothing is wrong. */
const FAILURES: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'CrashLoopBackOff',
])

/** What keeps a pending pod from running. `cause` is empty if nothing is said yet. */
export type Obstacle =
  | { readonly kind: 'unscheduled'; readonly cause: string }
  | { readonly kind: 'not-starting'; readonly cause: string }

/** @returns `undefined` for a pod on a node with which nothing is wrong */
export function obstacleOf(object: ClusterObject): Obstacle | undefined {
  const parsed = v.safeParse(PendingSchema, object)
  if (!parsed.success) return undefined
  const { spec, status } = parsed.output
  if ((spec.nodeName ?? '') === '') return { kind: 'unscheduled', cause: schedulingCause(status) }
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  const failed = statuses.find(({ state }) => FAILURES.has(state?.waiting?.reason ?? ''))
  const { reason = '', message } = failed?.state?.waiting ?? {}
  if (failed === undefined) return undefined
  const words = message ? `${reason}: ${message}` : `${reason}`
  return { kind: 'not-starting', cause: plain(words) }
}

function schedulingCause(status: Pending['status']): string {
  const condition = conditionOf(status?.conditions, 'PodScheduled')
  if (condition?.status !== 'False') return ''
  if (condition.reason === 'SchedulingGated') return 'it has scheduling gates'
  return schedulerCauses(condition.message || condition.reason)
}
