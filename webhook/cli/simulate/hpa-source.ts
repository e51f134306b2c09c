// A HorizontalPodAutoscaler of the input, checked for the fields that decide on sizes (hpa-controller/spec.ts).
import * as v from 'valibot'
import type { Document, ReadResult } from '../input/documents.ts'
import { describeIssues } from '../input/issues.ts'
import { toMilli } from './hpa-controller/milli-value.ts'
import type { HpaSpec } from './hpa-controller/spec.ts'

const Quantity = v.pipe(
  v.union([v.string(), v.number()]),
  v.check(isQuantity, 'a quantity such as 4, 1.5 or 500m'),
)

/** As the API server limits it. */
function seconds(least: number, most: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most))
}

const Target = v.looseObject({
  type: v.picklist(['Value', 'AverageValue']),
  value: v.exactOptional(Quantity),
  averageValue: v.exactOptional(Quantity),
})

const Identifier = v.looseObject({
  name: v.string(),
  selector: v.exactOptional(
    v.looseObject({
      matchLabels: v.exactOptional(v.record(v.string(), v.string())),
      matchExpressions: v.exactOptional(v.array(v.looseObject({}))),
    }),
  ),
})

const Metric = v.variant('type', [
  v.looseObject({
    type: v.literal('Object'),
    object: v.looseObject({
      describedObject: v.looseObject({
        apiVersion: v.exactOptional(v.string()),
        kind: v.string(),
        name: v.string(),
      }),
      metric: Identifier,
      target: Target,
    }),
  }),
  v.looseObject({
    type: v.literal('External'),
    external: v.looseObject({ metric: Identifier, target: Target }),
  }),
])

const Rules = v.looseObject({
  stabilizationWindowSeconds: v.exactOptional(seconds(0, 3_600)),
  selectPolicy: v.exactOptional(v.picklist(['Max', 'Min', 'Disabled'])),
  policies: v.exactOptional(
    v.array(
      v.looseObject({
        type: v.picklist(['Pods', 'Percent']),
        value: v.pipe(v.number(), v.integer(), v.minValue(1)),
        periodSeconds: seconds(1, 1_800),
      }),
    ),
  ),
  tolerance: v.exactOptional(Quantity),
})

const HpaSource = v.looseObject({
  metadata: v.looseObject({ name: v.string() }),
  spec: v.looseObject({
    minReplicas: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1))),
    maxReplicas: v.pipe(v.number(), v.integer(), v.minValue(1)),
    metrics: v.pipe(v.array(Metric), v.minLength(1)),
    behavior: v.exactOptional(
      v.looseObject({ scaleUp: v.exactOptional(Rules), scaleDown: v.exactOptional(Rules) }),
    ),
  }),
})

function isQuantity(value: string | number): boolean {
  try {
    toMilli(value)
    return true
  } catch {
    return false
  }
}

/** An HPA by its name. */
export interface NamedHpa {
  readonly name: string
  readonly spec: HpaSpec
}

/** Whether a document is an HPA, valid or not. */
export function isHpa({ apiVersion, kind }: Document): boolean {
  return kind === 'HorizontalPodAutoscaler' && apiVersion.startsWith('autoscaling/')
}

/** Reads an HPA of autoscaling/v2. One on CPU, memory or Pods metrics is a problem: the simulation has no such metrics. */
export function readHpa(document: Document): ReadResult<NamedHpa> {
  if (document.apiVersion !== 'autoscaling/v2') {
    const problem = `${document.placeOf(['apiVersion'])}: expected autoscaling/v2, got ${document.apiVersion}`
    return { found: [], problems: [problem] }
  }
  const parsed = v.safeParse(HpaSource, document.value)
  if (!parsed.success) {
    return { found: [], problems: describeIssues(document, parsed.issues) }
  }
  const { metadata, spec } = parsed.output
  return { found: [{ name: metadata.name, spec }], problems: [] }
}
