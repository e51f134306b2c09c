// Reads the series of a metric, and the sum of those that a `metricLabelSelector` selects. A number that is not known is an
// error, never 0.
//
// A metric of nodes is one series without labels. A metric of jobs is one series for each named queue, with the label
// `queue`; where Flux has no named queues, one without labels.
import type { Metric, Selection } from '#metrics/metric.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { badRequest, notFound, type StatusError, unavailable } from '#serving/status.ts'
import { enumerate, quote } from '#serving/text.ts'
import { type Labels, NO_LABELS } from './selectors/label.ts'
import { formatSelector, matchesLabels, type Selector } from './selectors/selector.ts'

/** A metric, or the part of it that belongs to one queue. */
export interface Series {
  /** `undefined` for the total. */
  readonly queue: string | undefined
  readonly value: number
}

/**
 * Reads the value of `metric`: of the whole instance without requirements, otherwise of all matching series together.
 *
 * @throws StatusError 404 if no series matches, 503 with the reason if the number is unknown
 */
export function readValue(metric: Metric, snapshot: Snapshot, selector: Selector): number {
  return readOne(metric, snapshot, select(metric, snapshot, selector))
}

/**
 * Reads the series of `metric` one by one: the total, or each matching queue if the requirements name queues. Never both,
 * because an HPA adds up all series.
 *
 * @throws StatusError as {@link readValue} does; 400 for several series of a metric that must not be added up
 */
export function readSeries(
  metric: Metric,
  snapshot: Snapshot,
  selector: Selector,
): readonly Series[] {
  const { queues } = select(metric, snapshot, selector)
  if (queues === undefined) return [{ queue: undefined, value: readOne(metric, snapshot, {}) }]
  if (queues.length > 1 && metric.isSum === false) {
    throw badRequest(
      `Cannot answer for ${queues.length} queues: an HPA would add up their ${metric.name}, which must not be added; select one queue`,
    )
  }
  return queues.map((queue) => ({ queue, value: readOne(metric, snapshot, { queues: [queue] }) }))
}

function readOne(metric: Metric, snapshot: Snapshot, selection: Selection): number {
  const value = metric.value(snapshot, selection)
  if (typeof value === 'number') return value
  throw unavailable(`Cannot read ${metric.name}: ${value.reason}`)
}

function select(metric: Metric, { jobs }: Snapshot, selector: Selector): Selection {
  if (selector.length === 0) return {}
  if (metric.labels.length > 0 && jobs.kind === 'unknown') {
    throw unavailable(`Cannot read ${metric.name}: ${jobs.reason}`)
  }
  const names = metric.labels.length > 0 && jobs.kind === 'known' ? [...jobs.queues.keys()] : []
  if (names.length === 0) {
    if (matchesLabels(selector, NO_LABELS)) return {}
  } else {
    const queues = names.filter((name) => matchesLabels(selector, queueLabels(name)))
    if (queues.length > 0) return { queues }
  }
  throw noSeries(metric, selector, names)
}

/** @throws StatusError 404 if the selector wants labels, of a metric that has none */
export function expectUnlabelled(metric: Metric, selector: Selector): void {
  if (!matchesLabels(selector, NO_LABELS)) throw noSeries(metric, selector, [])
}

function noSeries(metric: Metric, selector: Selector, names: readonly string[]): StatusError {
  return notFound(
    `the server could not find a series of the metric ${metric.name} ` +
      `with ${quote(formatSelector(selector))}: ${describeSeries(metric, names)}`,
  )
}

function queueLabels(queue: string): Labels {
  return new Map([['queue', queue]])
}

function describeSeries({ labels, name }: Metric, queues: readonly string[]): string {
  if (labels.length === 0) return `${name} has no labels`
  if (queues.length === 0) return 'Flux has no named queues'
  return `its label is "queue", and the queues are ${enumerate(queues.map((name) => quote(name)))}`
}
