// Whether an HPA fits the simulated MiniCluster: it scales a MiniCluster, its metrics are those of the sidecar, its selectors
// name queues of the Queue, its sizes are sizes that the MiniCluster can have. Otherwise a run would show errors for 24 hours.
// Pure.
import { METRICS } from '#metrics/catalog.ts'
import { GATEWAY_METRICS } from '#metrics/gateway-metrics.ts'
import type { Metric } from '#metrics/metric.ts'
import { nearestNames } from '#serving/nearest.ts'
import { METRICS_SERVICE } from '../../../contract.ts'
import { isMiniCluster, MINICLUSTER } from '../../../objects/minicluster.ts'
import type {
  HpaSpec,
  MetricSpec,
  MetricTarget,
  ObjectReference,
  SeriesSelector,
} from '../../hpa-controller/spec.ts'
import type { Document } from '../../input/files/documents.ts'
import type { Path } from '../../input/files/source.ts'
import type { QueueOfJobs } from './queue-source.ts'

/** Adds a problem at a path of the HPA. */
type Report = (path: Path, name: string, problem: string) => void

/** What the HPA is compared with, and where its problems go. */
interface Fit {
  readonly queue: QueueOfJobs
  /** The MiniCluster that the HPA scales. */
  readonly minicluster: string
  readonly report: Report
}

/** A sentence with its place for each problem. */
export function misfitsOf(
  { placeOf }: Pick<Document, 'placeOf'>,
  spec: HpaSpec,
  queue: QueueOfJobs,
): readonly string[] {
  const problems: string[] = []
  const report: Report = (path, name, problem) => {
    problems.push(`${placeOf(['spec', ...path])}: spec.${name}: ${problem}`)
  }
  checkSizes(spec, queue, report)
  const { scaleTargetRef } = spec
  if (scaleTargetRef !== undefined && !isMiniCluster(scaleTargetRef)) {
    const problem = `expected a MiniCluster of ${MINICLUSTER.apiVersion}, got ${spell(scaleTargetRef)}`
    report(['scaleTargetRef'], 'scaleTargetRef', problem)
    return problems
  }
  const fit = { queue, minicluster: scaleTargetRef?.name ?? '', report }
  for (const [index, metric] of spec.metrics.entries()) checkMetric(metric, index, fit)
  return problems
}

function checkSizes(
  { minReplicas = 1, maxReplicas }: HpaSpec,
  { nodes: { max } }: QueueOfJobs,
  report: Report,
): void {
  if (maxReplicas > max) {
    const problem = `expected at most the Queue's spec.nodes.max, ${max}, got ${maxReplicas}`
    report(['maxReplicas'], 'maxReplicas', problem)
  }
  if (minReplicas > maxReplicas) {
    const problem = `expected at most spec.maxReplicas, ${maxReplicas}, got ${minReplicas}`
    report(['minReplicas'], 'minReplicas', problem)
  }
  if (minReplicas === 0) {
    const why = 'the Flux Operator stops acting on a MiniCluster of size 0'
    report(['minReplicas'], 'minReplicas', `expected at least 1, got 0: ${why}`)
  }
}

function spell({ apiVersion = 'v1', kind, name }: ObjectReference): string {
  return `${kind} "${name}" of ${apiVersion}`
}

function checkMetric(source: MetricSpec, index: number, fit: Fit): void {
  const isObject = source.type === 'Object'
  const type = isObject ? 'object' : 'external'
  const { metric: identifier, target } = isObject ? source.object : source.external
  const place = `metrics[${index}].${type}`
  const report: Report = (path, name, problem) =>
    fit.report(['metrics', index, type, ...path], `${place}.${name}`, problem)
  checkTarget(target, isObject, report)
  if (isObject) checkDescribed(source.object.describedObject, fit, report)
  const { name, selector } = identifier
  const metric = METRICS.get(name)
  if (metric === undefined) {
    const near = nearestNames(name, [...METRICS.keys()]).join(' or ')
    const hint = near === '' ? '' : `; did you mean ${near}?`
    report(['metric', 'name'], 'metric.name', `expected a metric of ours, got "${name}"${hint}`)
    return
  }
  if (GATEWAY_METRICS.includes(metric)) {
    const problem = `expected a metric that is simulated, got "${name}", which is for alerts`
    report(['metric', 'name'], 'metric.name', problem)
    return
  }
  const problem = selectorProblem(selector, { ...fit, metric, isObject })
  if (problem !== undefined) report(['metric', 'selector'], 'metric.selector', problem)
}

/** For an Object metric the type decides, for an External metric the field that is set. */
function checkTarget(
  { type, value, averageValue }: MetricTarget,
  isObject: boolean,
  report: Report,
): void {
  const both = value !== undefined && averageValue !== undefined
  if (!isObject && both) report(['target'], 'target', 'expected value or averageValue, got both')
  const isSet = type === 'Value' ? value : type === 'AverageValue' ? averageValue : undefined
  if (isSet !== undefined || (!isObject && (value ?? averageValue) !== undefined)) return
  if (isObject && type === 'Utilization') {
    report(['target', 'type'], 'target.type', 'expected Value or AverageValue, got Utilization')
    return
  }
  const field = type === 'Value' ? 'value' : 'averageValue'
  report(['target'], 'target', `expected ${field}, got none: the HPA would never change the size`)
}

/** The sidecar describes its MiniCluster, a Service, and its namespace; every other object is unknown to it. */
function checkDescribed(described: ObjectReference, { minicluster }: Fit, report: Report): void {
  const { kind, name } = described
  if (kind === 'Namespace' || (kind === 'Service' && name === METRICS_SERVICE)) return
  if (isMiniCluster(described) && name === minicluster) return
  const own = minicluster === '' ? 'a MiniCluster' : `MiniCluster "${minicluster}"`
  const problem = `expected ${own} of flux-framework.org, Service "${METRICS_SERVICE}" or a Namespace, got ${spell(described)}`
  report(['describedObject'], 'describedObject', problem)
}

interface SelectorContext extends Fit {
  readonly metric: Metric
  readonly isObject: boolean
}

/** A label of a series that is not there matches nothing, and the HPA holds its size for ever. */
function selectorProblem(
  { matchLabels = {}, matchExpressions = [] }: SeriesSelector = {},
  { metric, queue, isObject, minicluster }: SelectorContext,
): string | undefined {
  if (matchExpressions.length > 0) return 'expected matchLabels: no others are simulated'
  const known: readonly string[] = [...metric.labels, ...(isObject ? [] : ['minicluster'])]
  const strange = Object.keys(matchLabels).find((label) => !known.includes(label))
  if (strange !== undefined) {
    const labels = known.length === 0 ? 'no label' : `the label ${known.join(' or ')}`
    return `expected ${labels}, got "${strange}"`
  }
  const other = matchLabels.minicluster
  if (other !== undefined && other !== minicluster) {
    return `expected minicluster "${minicluster}", as in spec.scaleTargetRef, got "${other}"`
  }
  const names = Object.keys(queue.queues ?? {})
  if (matchLabels.queue === undefined || names.includes(matchLabels.queue)) return undefined
  const expected =
    names.length === 0 ? "no queue: the Queue's spec.queues has none" : names.join(' or ')
  return `expected ${expected}, got "${matchLabels.queue}"`
}
