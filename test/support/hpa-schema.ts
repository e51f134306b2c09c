// The schema of a HorizontalPodAutoscaler (autoscaling/v2) with the fields that manifests and the command line use. Other
// fields are refused, because they would be mistakes.
import * as v from 'valibot'

const Reference = v.strictObject({
  apiVersion: v.exactOptional(v.string()),
  kind: v.string(),
  name: v.string(),
})

const Metric = v.strictObject({
  type: v.literal('Object'),
  object: v.strictObject({
    describedObject: Reference,
    metric: v.strictObject({ name: v.string() }),
    target: v.strictObject({
      type: v.picklist(['AverageValue', 'Value']),
      averageValue: v.exactOptional(v.string()),
      value: v.exactOptional(v.string()),
    }),
  }),
})

const Count = v.pipe(v.number(), v.integer(), v.minValue(0))

const Rules = v.strictObject({
  stabilizationWindowSeconds: v.exactOptional(v.pipe(Count, v.maxValue(3600))),
  policies: v.exactOptional(
    v.array(
      v.strictObject({
        type: v.picklist(['Pods', 'Percent']),
        value: v.pipe(Count, v.minValue(1)),
        periodSeconds: v.pipe(Count, v.minValue(1), v.maxValue(1800)),
      }),
    ),
  ),
  tolerance: v.exactOptional(v.number()),
})

/** The limits are those of the API server. */
export const HpaSchema = v.strictObject({
  apiVersion: v.literal('autoscaling/v2'),
  kind: v.literal('HorizontalPodAutoscaler'),
  metadata: v.looseObject({ name: v.string(), namespace: v.exactOptional(v.string()) }),
  spec: v.strictObject({
    scaleTargetRef: Reference,
    minReplicas: v.pipe(Count, v.minValue(1)),
    maxReplicas: Count,
    metrics: v.strictTuple([Metric]),
    behavior: v.exactOptional(
      v.strictObject({ scaleUp: v.exactOptional(Rules), scaleDown: v.exactOptional(Rules) }),
    ),
  }),
})
