// Whether an HPA fits the simulated MiniCluster: its metrics are those of the sidecar, its selectors name queues of the Queue,
// its sizes are sizes that the MiniCluster can have. Otherwise a run would show errors for 24 hours. Pure.
import { METRICS } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'
import { nearestNames } from '#serving/nearest.ts'
import type { Document, Path } from '../input/documents.ts'
import type { HpaSpec, MetricSpec, SeriesSelector } from './hpa-controller/spec.ts'
import type { QueueOfJobs } from './queue-source.ts'

/** Adds a problem at a path of the HPA. */
type Report = (path: Path, name: string, problem: string) => void

/** A sentence with its place for each problem. */
export function misfitsOf(
  { placeOf }: Pick<Document, 'placeOf'>,
  { minReplicas = 1, maxReplicas, metrics }: HpaSpec,
  queue: QueueOfJobs,
): readonly string[] {
  const problems: string[] = []
  const report: Report = (path, name, problem) => {
    problems.push(`${placeOf(['spec', ...path])}: spec.${name}: ${problem}`)
  }
  const { max } = queue.nodes
  if (maxReplicas > max) {
    const problem = `expected at most the Queue's spec.nodes.max, ${max}, got ${maxReplicas}`
    report(['maxReplicas'], 'maxReplicas', problem)
  }
  if (minReplicas > maxReplicas) {
    const problem = `expected at most spec.maxReplicas, ${maxReplicas}, got ${minReplicas}`
    report(['minReplicas'], 'minReplicas', problem)
  }
  for (const [index, metric] of metrics.entries()) checkMetric(metric, index, { queue, report })
  return problems
}

function checkMetric(
  source: MetricSpec,
  index: number,
  { queue, report }: { readonly queue: QueueOfJobs; readonly report: Report },
): void {
  const isObject = source.type === 'Object'
  const type = isObject ? 'object' : 'external'
  const { name, selector } = (isObject ? source.object : source.external).metric
  const path = ['metrics', index, type, 'metric']
  const place = `metrics[${index}].${type}.metric`
  const metric = METRICS.get(name)
  if (metric === undefined) {
    const near = nearestNames(name, [...METRICS.keys()]).join(' or ')
    const hint = near === '' ? '' : `; did you mean ${near}?`
    report([...path, 'name'], `${place}.name`, `expected a metric of ours, got "${name}"${hint}`)
    return
  }
  const problem = selectorProblem(selector, { metric, queue, isObject })
  if (problem !== undefined) report([...path, 'selector'], `${place}.selector`, problem)
}

/** A label of a series that is not there matches nothing, and the HPA holds its size for ever. */
function selectorProblem(
  { matchLabels = {}, matchExpressions = [] }: SeriesSelector = {},
  context: { readonly metric: Metric; readonly queue: QueueOfJobs; readonly isObject: boolean },
): string | undefined {
  const { metric, queue, isObject } = context
  if (matchExpressions.length > 0) return 'expected matchLabels: no others are simulated'
  const known: readonly string[] = [...metric.labels, ...(isObject ? [] : ['minicluster'])]
  const strange = Object.keys(matchLabels).find((label) => !known.includes(label))
  if (strange !== undefined) {
    const labels = known.length === 0 ? 'no label' : `the label ${known.join(' or ')}`
    return `expected ${labels}, got "${strange}"`
  }
  const names = Object.keys(queue.queues ?? {})
  if (matchLabels.queue === undefined || names.includes(matchLabels.queue)) return undefined
  const expected =
    names.length === 0 ? "no queue: the Queue's spec.queues has none" : names.join(' or ')
  return `expected ${expected}, got "${matchLabels.queue}"`
}
