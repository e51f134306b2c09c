// A HorizontalPodAutoscaler of the input, with the checks of the API server for the fields that decide on sizes
// (hpa-controller/spec.ts). Whether it fits the simulated MiniCluster is checked in hpa-fit.ts.
import * as v from 'valibot'
import { toMilli } from '../../hpa-controller/milli-value.ts'
import type { HpaSpec } from '../../hpa-controller/spec.ts'
import type { Document, ReadResult } from '../../input/files/documents.ts'
import { describeIssues } from '../../input/files/issues.ts'

const Quantity = v.union([v.string(), v.number()])

const Positive = v.pipe(
  Quantity,
  v.check((value) => quantityOf(value) > 0, 'a quantity above 0 such as 4, 1.5 or 500m'),
)

const Tolerance = v.pipe(
  Quantity,
  v.check((value) => quantityOf(value) >= 0, 'a quantity of at least 0 such as 0.1 or 50m'),
)

/** NaN if it is no quantity. */
function quantityOf(value: string | number): number {
  try {
    return toMilli(value)
  } catch {
    return Number.NaN
  }
}

/** A whole number, as the API server limits it. */
function whole(least: number, most = 2 ** 31 - 1) {
  return v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most))
}

/** The API server accepts a target without the field that its type names. */
const Target = v.strictObject({
  type: v.picklist(['Value', 'AverageValue', 'Utilization']),
  value: v.exactOptional(Positive),
  averageValue: v.exactOptional(Positive),
  averageUtilization: v.exactOptional(whole(1)),
})

const Identifier = v.strictObject({
  name: v.string(),
  selector: v.exactOptional(
    v.strictObject({
      matchLabels: v.exactOptional(v.record(v.string(), v.string())),
      matchExpressions: v.exactOptional(v.array(v.looseObject({}))),
    }),
  ),
})

const Reference = v.strictObject({
  apiVersion: v.exactOptional(v.string()),
  kind: v.string(),
  name: v.string(),
})

const Metric = v.variant('type', [
  v.strictObject({
    type: v.literal('Object'),
    object: v.strictObject({ describedObject: Reference, metric: Identifier, target: Target }),
  }),
  v.strictObject({
    type: v.literal('External'),
    external: v.strictObject({ metric: Identifier, target: Target }),
  }),
])

const Rules = v.strictObject({
  stabilizationWindowSeconds: v.exactOptional(whole(0, 3_600)),
  selectPolicy: v.exactOptional(v.picklist(['Max', 'Min', 'Disabled'])),
  policies: v.exactOptional(
    v.pipe(
      v.array(
        v.strictObject({
          type: v.picklist(['Pods', 'Percent']),
          value: whole(1),
          periodSeconds: whole(1, 1_800),
        }),
      ),
      v.minLength(1),
    ),
  ),
  tolerance: v.exactOptional(Tolerance),
})

const HpaSource = v.looseObject({
  metadata: v.looseObject({
    name: v.exactOptional(v.string()),
    generateName: v.exactOptional(v.string()),
  }),
  spec: v.strictObject({
    scaleTargetRef: Reference,
    minReplicas: v.exactOptional(whole(0)),
    maxReplicas: whole(1),
    metrics: v.array(Metric),
    behavior: v.exactOptional(
      v.strictObject({ scaleUp: v.exactOptional(Rules), scaleDown: v.exactOptional(Rules) }),
    ),
  }),
})

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
  const value = withoutNulls(document.value)
  const usage = usageProblems(document, value)
  if (usage.length > 0) return { found: [], problems: usage }
  const parsed = v.safeParse(HpaSource, value)
  if (!parsed.success) return { found: [], problems: describeIssues(document, parsed.issues) }
  const { metadata, spec } = parsed.output
  const name = metadata.name ?? (metadata.generateName && `${metadata.generateName}*`)
  if (name !== undefined) return { found: [{ name, spec }], problems: [] }
  const problem = `${document.placeOf(['metadata'])}: metadata.name: expected a value, got none`
  return { found: [], problems: [problem] }
}

/** The API server takes null for a field that is not there. An item of a list stays, so that the others keep their index. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([key, field]) => [key, withoutNulls(field)]),
  )
}

const USAGE = ['Resource', 'ContainerResource', 'Pods']

const MetricTypes = v.looseObject({
  spec: v.looseObject({ metrics: v.optional(v.array(v.looseObject({ type: v.string() })), []) }),
})

/** An HPA without metrics follows the CPU usage. */
function usageProblems({ placeOf }: Document, value: unknown): readonly string[] {
  const parsed = v.safeParse(MetricTypes, value)
  if (!parsed.success) return []
  const { metrics } = parsed.output.spec
  const problemAt = (path: readonly (string | number)[], name: string, got: string) =>
    `${placeOf(['spec', ...path])}: spec.${name}: expected Object or External, got ${got}: the usage of pods is not simulated`
  if (metrics.length === 0) {
    return [problemAt(['metrics'], 'metrics', 'none, which follows the CPU')]
  }
  return metrics.flatMap(({ type }, index) =>
    USAGE.includes(type)
      ? [problemAt(['metrics', index, 'type'], `metrics[${index}].type`, type)]
      : [],
  )
}
