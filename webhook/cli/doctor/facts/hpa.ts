// A HorizontalPodAutoscaler (autoscaling/v2) of the cluster, as far as the rules look at it. Fields of another type than the API's
// make it unreadable; fields that are not known here are ignored, because a later Kubernetes has more.
import * as v from 'valibot'
import type { ClusterObject } from '../../../kubernetes/objects.ts'

const Quantity = v.nullish(v.union([v.string(), v.number()]))

const Reference = v.object({
  apiVersion: v.nullish(v.string(), ''),
  kind: v.string(),
  name: v.string(),
})

const Target = v.object({ type: v.string(), value: Quantity, averageValue: Quantity })

const Identifier = v.object({
  name: v.string(),
  selector: v.nullish(v.object({ matchLabels: v.nullish(v.record(v.string(), v.string())) })),
})

const Metric = v.looseObject({
  type: v.string(),
  object: v.nullish(
    v.looseObject({ describedObject: Reference, metric: Identifier, target: Target }),
  ),
  external: v.nullish(v.looseObject({ metric: Identifier, target: Target })),
})

const Rules = v.nullish(
  v.object({
    stabilizationWindowSeconds: v.nullish(v.number()),
    selectPolicy: v.nullish(v.string()),
    policies: v.nullish(
      v.array(v.object({ type: v.string(), value: v.number(), periodSeconds: v.number() })),
    ),
    tolerance: Quantity,
  }),
)

const Condition = v.object({
  type: v.string(),
  status: v.string(),
  reason: v.nullish(v.string(), ''),
  message: v.nullish(v.string(), ''),
})

const HpaSchema = v.object({
  metadata: v.object({ name: v.string(), namespace: v.string() }),
  spec: v.object({
    scaleTargetRef: Reference,
    minReplicas: v.nullish(v.number(), 1),
    maxReplicas: v.number(),
    metrics: v.nullish(v.array(Metric), []),
    behavior: v.nullish(v.object({ scaleUp: Rules, scaleDown: Rules })),
  }),
  status: v.nullish(v.object({ conditions: v.nullish(v.array(Condition)) })),
})

const ListSchema = v.object({ items: v.nullish(v.array(HpaSchema)) })

export type Hpa = v.InferOutput<typeof HpaSchema>
export type HpaMetric = v.InferOutput<typeof Metric>
export type HpaReference = v.InferOutput<typeof Reference>
export type HpaRules = v.InferOutput<typeof Rules>

/** @returns `undefined` if it is no list of HPAs */
export function toHpas(list: ClusterObject): readonly Hpa[] | undefined {
  const parsed = v.safeParse(ListSchema, list)
  return parsed.success ? (parsed.output.items ?? []) : undefined
}

/** Whether an object is a MiniCluster. Kubernetes looks at the group and the kind, and not at the version. */
export function isMiniCluster({ kind, apiVersion }: HpaReference): boolean {
  return kind === 'MiniCluster' && apiVersion?.startsWith('flux-framework.org/') === true
}

/** `HPA hpc/flux-sample` */
export function spellHpa({ metadata: { namespace, name } }: Hpa): string {
  return `HPA ${namespace}/${name}`
}
