// The replicas of the gateway that API servers find, as its EndpointSlices have them. Pure.
import * as v from 'valibot'
import type { ClusterObject } from '../../kubernetes/cluster.ts'

const SliceSchema = v.object({
  endpoints: v.nullish(
    v.array(
      v.object({
        conditions: v.nullish(v.object({ ready: v.nullish(v.boolean()) })),
        targetRef: v.nullish(v.object({ kind: v.string(), name: v.string() })),
      }),
    ),
  ),
})

/** A replica that API servers may ask. */
export interface Replica {
  /** Name of its pod; `undefined` if it is no pod. */
  readonly pod: string | undefined
}

/** Slices that cannot be read have none. */
export function readyReplicas(slices: readonly ClusterObject[]): readonly Replica[] {
  return slices.flatMap((slice) => {
    const parsed = v.safeParse(SliceSchema, slice)
    if (!parsed.success) return []
    return (parsed.output.endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .map(({ targetRef }) => ({ pod: targetRef?.kind === 'Pod' ? targetRef.name : undefined }))
  })
}

/** One that another rollout made, which may be configured otherwise; `undefined` if there is none. */
export function ofAnotherRollout(replicas: readonly Replica[], ownPod: string): string | undefined {
  const own = rolloutOf(ownPod)
  return replicas.map(({ pod }) => pod).find((pod) => pod !== undefined && rolloutOf(pod) !== own)
}

/** The ReplicaSet gives its pods its own name and five characters. */
function rolloutOf(pod: string): string {
  return pod.slice(0, pod.lastIndexOf('-'))
}
