// The part of the spec of a HorizontalPodAutoscaler (autoscaling/v2) that decides on sizes, with the field names of the API.
// Resource and Pods metrics, which measure the usage of the pods, are left out.

/** `resource.Quantity` as YAML may spell it. */
export type Quantity = string | number

/** The API server accepts a `type` for which the matching field is not set. */
export interface MetricTarget {
  readonly type: 'Value' | 'AverageValue' | 'Utilization'
  readonly value?: Quantity
  readonly averageValue?: Quantity
}

/** Which series of a metric count. `matchExpressions` are accepted and not looked at. */
export interface SeriesSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly object[]
}

export interface MetricIdentifier {
  readonly name: string
  readonly selector?: SeriesSelector
}

export interface ObjectReference {
  readonly apiVersion?: string
  readonly kind: string
  readonly name: string
}

export interface ObjectMetricSpec {
  readonly type: 'Object'
  readonly object: {
    readonly describedObject: ObjectReference
    readonly metric: MetricIdentifier
    readonly target: MetricTarget
  }
}

export interface ExternalMetricSpec {
  readonly type: 'External'
  readonly external: { readonly metric: MetricIdentifier; readonly target: MetricTarget }
}

export type MetricSpec = ObjectMetricSpec | ExternalMetricSpec

export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent'
  readonly value: number
  readonly periodSeconds: number
}

/** `behavior.scaleUp` or `behavior.scaleDown`. */
export interface ScalingRules {
  readonly stabilizationWindowSeconds?: number
  readonly selectPolicy?: 'Max' | 'Min' | 'Disabled'
  readonly policies?: readonly ScalingPolicy[]
  /** Kubernetes 1.35 and later, or the feature gate HPAConfigurableTolerance. */
  readonly tolerance?: Quantity
}

export interface Behavior {
  readonly scaleUp?: ScalingRules
  readonly scaleDown?: ScalingRules
}

export interface HpaSpec {
  readonly scaleTargetRef?: ObjectReference
  /** 1 by default. With 0 (a feature gate until 1.36) the real controller leaves size 0 by itself; ours does not. */
  readonly minReplicas?: number
  readonly maxReplicas: number
  readonly metrics: readonly MetricSpec[]
  readonly behavior?: Behavior
}
