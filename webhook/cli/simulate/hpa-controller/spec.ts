// The part of an autoscaling/v2 HorizontalPodAutoscaler's spec that decides on sizes, in the API's own words. Resource and
// Pods metrics, which ask for the pods' own usage, are left out.

/** `resource.Quantity` as YAML may spell it. */
export type Quantity = string | number

/** The type says what to compare with, not which field is set: the API server accepts a mismatch. */
export interface MetricTarget {
  readonly type: 'Value' | 'AverageValue' | 'Utilization'
  readonly value?: Quantity
  readonly averageValue?: Quantity
}

export interface LabelSelectorRequirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values?: readonly string[]
}

export interface MetricIdentifier {
  readonly name: string
  readonly selector?: {
    readonly matchLabels?: Readonly<Record<string, string>>
    readonly matchExpressions?: readonly LabelSelectorRequirement[]
  }
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
  /** 1 by default. With 0 (a feature gate until 1.36) the real controller leaves size 0 by itself; here it does not. */
  readonly minReplicas?: number
  readonly maxReplicas: number
  readonly metrics: readonly MetricSpec[]
  readonly behavior?: Behavior
}
