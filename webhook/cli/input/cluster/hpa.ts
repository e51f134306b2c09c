// A HorizontalPodAutoscaler (autoscaling/v2) as the API server has it, for all that look at HPAs of a cluster. Fields of another
// type than the API's make it unreadable; fields that are not known here are ignored, because a later Kubernetes has more. HPAs
// that a user writes for the simulation are checked like the API server does: simulate/input/hpa-source.ts.
import * as v from 'valibot'
import { Conditions } from '../../../objects/conditions.ts'

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

const Status = v.object({
  currentReplicas: v.nullish(v.number(), 0),
  desiredReplicas: v.nullish(v.number(), 0),
  conditions: Conditions,
})

const HpaSchema = v.object({
  metadata: v.object({
    name: v.string(),
    namespace: v.string(),
    labels: v.nullish(v.record(v.string(), v.string())),
  }),
  spec: v.object({
    scaleTargetRef: Reference,
    minReplicas: v.nullish(v.number(), 1),
    maxReplicas: v.number(),
    metrics: v.nullish(v.array(Metric), []),
    behavior: v.nullish(v.object({ scaleUp: Rules, scaleDown: Rules })),
  }),
  status: v.nullish(Status),
})

const ListSchema = v.object({ items: v.nullable(v.array(HpaSchema)) })

export type Hpa = v.InferOutput<typeof HpaSchema>
export type HpaMetric = v.InferOutput<typeof Metric>
export type HpaReference = v.InferOutput<typeof Reference>
export type HpaRules = v.InferOutput<typeof Rules>

/** @param list as the API server or kubectl answers it. @returns `undefined` if it is no list of HPAs */
export function toHpas(list: unknown): readonly Hpa[] | undefined {
  const parsed = v.safeParse(ListSchema, list)
  return parsed.success ? (parsed.output.items ?? []) : undefined
}

/**
 * Whether the default tolerance of 10 % does not keep it from a small change of size: it has a tolerance of its own, or, to grow,
 * follows the metric that makes up for the default.
 */
export function passesTolerance(
  { spec: { behavior, metrics } }: Hpa,
  way: 'scaleUp' | 'scaleDown',
): boolean {
  const names = (metrics ?? []).map(({ object, external }) => (object ?? external)?.metric.name)
  const isCompensated = way === 'scaleUp' && names.includes('node_desired_compensated_count')
  return isCompensated || (behavior?.[way]?.tolerance ?? undefined) !== undefined
}

/** `HPA hpc/flux-sample` */
export function spellHpa({ metadata: { namespace, name } }: Hpa): string {
  return `HPA ${namespace}/${name}`
}
