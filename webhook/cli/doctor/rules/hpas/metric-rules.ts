// What an HPA follows: whether the metric is there, of the right object, and makes the right size with its target. Pure.
import { SERVICES } from '#api/api-group.ts'
import { METRICS } from '#metrics/catalog.ts'
import { nearestNames } from '#serving/nearest.ts'
import { METRICS_SERVICE } from '../../../../contract.ts'
import { isMiniCluster, MINICLUSTER } from '../../../../objects/minicluster.ts'
import { toMilli } from '../../../hpa-controller/milli-value.ts'
import {
  type Hpa,
  type HpaMetric,
  type HpaReference,
  spellHpa,
} from '../../../input/cluster/hpa.ts'
import { type Finding, finding } from '../../finding.ts'
import type { HpaRule, HpaSurroundings } from './hpa-rule.ts'

/** Whether it is a size: with AverageValue 1 the HPA takes it as it is. */
function isSize(metric: string): boolean {
  return METRICS.get(metric)?.role === 'size'
}

/** Whether it is never below the nodes of running jobs. */
function keepsJobs(metric: string): boolean {
  return isSize(metric) && metric !== 'node_demand_count'
}

const CURE = 'flux-metrics hpa prints the recommended HPA'

export const METRIC_RULES: readonly HpaRule[] = [
  (hpa) => {
    const metrics = hpa.spec.metrics ?? []
    const usage = metrics.map(({ type }) => type).filter((type) => USAGE.has(type))
    if (metrics.length > 0 && usage.length === 0) return []
    // An HPA takes the largest of several sizes, so that it keeps the nodes of running jobs.
    if (followedBy(hpa).some(({ name }) => keepsJobs(name))) return []
    const what = metrics.length === 0 ? 'the CPU, because it names no metric' : usage.join(' and ')
    return [
      finding('hpa-usage', {
        subject: spellHpa(hpa),
        message: `it follows ${what}: that knows neither jobs that wait nor nodes that are busy, and a smaller size ends their jobs`,
        fix: `follow node_desired_count: ${CURE}`,
      }),
    ]
  },
  ofEach(({ described }, { minicluster }) => {
    if (described === undefined) return undefined
    const { kind, name } = described
    const { name: own } = minicluster.metadata
    const isOfFlux = isMiniCluster(described)
    if (kind !== 'MiniCluster' || (isOfFlux && name === own)) return undefined
    const message = isOfFlux
      ? `it scales MiniCluster ${own} by a metric of MiniCluster ${name}`
      : `its metric describes MiniCluster ${name} of ${described.apiVersion || 'no apiVersion'}: there is no such kind`
    const fix = `set describedObject to apiVersion ${MINICLUSTER.apiVersion}, kind MiniCluster, name ${own}`
    return { code: 'hpa-described-object', message, fix }
  }),
  ofEach(({ name, described }, { hasUserMetrics }) => {
    const isOurs = described !== undefined && isOfProject(described)
    if (!isOurs || hasUserMetrics || METRICS.has(name)) return undefined
    const near = nearestNames(name, [...METRICS.keys()])
    const hint = near.length > 0 ? `: did you mean ${near.join(' or ')}?` : ''
    const message = `there is no metric "${name}"${hint}`
    return { code: 'hpa-metric', message, fix: `name one of docs/reference/METRICS.md: ${CURE}` }
  }),
  ofEach(({ name, target, isObject }) => {
    const { type, value, averageValue } = target
    const field = type === 'Value' ? value : type === 'AverageValue' ? averageValue : undefined
    const isSet = (one: typeof value) => one !== undefined && one !== null
    if (isSet(field) || (!isObject && (isSet(value) || isSet(averageValue)))) return undefined
    const message = `the target of ${name} has type ${type} and no value for it: the HPA never changes the size`
    return {
      code: 'hpa-target-missing',
      message,
      fix: 'set type AverageValue and averageValue "1"',
    }
  }),
  ofEach(({ name, target }) => {
    if (!isSize(name) || target.type !== 'Value' || !target.value) return undefined
    const message = `${name} is a size, and with a target of type Value the HPA multiplies it by the number of ready pods`
    return { code: 'hpa-value', message, fix: 'set target type AverageValue and averageValue "1"' }
  }),
  ofEach(({ name, target: { type, averageValue } }) => {
    if (!isSize(name) || type !== 'AverageValue' || !averageValue) return undefined
    if (toMilli(averageValue) === 1_000) return undefined
    const message = `${name} is a size, and with averageValue ${averageValue} the HPA divides it by ${averageValue}`
    return { code: 'hpa-average-value', message, fix: 'set averageValue "1"' }
  }),
  ofEach(({ name }) => {
    if (METRICS.get(name)?.role !== 'supply') return undefined
    const message = `${name} counts what there is, and not what jobs need, so the HPA follows itself: only minReplicas and maxReplicas stop it`
    return { code: 'hpa-feedback', message, fix: `follow node_desired_count: ${CURE}` }
  }),
  // KEP-5679, not in Kubernetes 1.37.
  (hpa) => {
    const metrics = hpa.spec.metrics ?? []
    if (!metrics.some((metric) => hasFallback(metric))) return []
    return [
      finding('hpa-fallback', {
        subject: spellHpa(hpa),
        message:
          'it has a fallback for a metric that fails: where other HPAs keep the size while Flux is not read, this one ends jobs',
        fix: 'remove the fallback',
      }),
    ]
  },
]

const USAGE: ReadonlySet<string> = new Set(['Resource', 'ContainerResource', 'Pods'])

/** A metric of an Object or of the External API. */
interface Followed {
  readonly name: string
  readonly target: NonNullable<HpaMetric['object']>['target']
  readonly isObject: boolean
  /** `undefined` for an external metric. */
  readonly described: HpaReference | undefined
}

/** What a rule says of one metric. */
type Mistake = Pick<Finding, 'code' | 'message' | 'fix'>

function ofEach(
  rule: (metric: Followed, surroundings: HpaSurroundings) => Mistake | undefined,
): HpaRule {
  return (hpa, surroundings) =>
    followedBy(hpa).flatMap((metric) => {
      const mistake = rule(metric, surroundings)
      if (mistake === undefined) return []
      const { code, message, fix } = mistake
      return [finding(code, { subject: spellHpa(hpa), message, fix })]
    })
}

function followedBy({ spec }: Hpa): readonly Followed[] {
  return (spec.metrics ?? []).flatMap(({ object, external }): readonly Followed[] => {
    if (object) {
      const { metric, target, describedObject: described } = object
      return [{ name: metric.name, target, described, isObject: true }]
    }
    if (!external) return []
    const { metric, target } = external
    return [{ name: metric.name, target, described: undefined, isObject: false }]
  })
}

/** Other objects have metrics of other adapters. */
function isOfProject({ kind, name }: HpaReference): boolean {
  return (
    kind === 'MiniCluster' || (`${kind.toLowerCase()}s` === SERVICES && name === METRICS_SERVICE)
  )
}

function hasFallback(metric: HpaMetric): boolean {
  return [metric, metric.object, metric.external].some((part) => part && 'fallback' in part)
}
