// Compares the decisions of the real controller for a case with those of our HpaController. Observations are data: no cluster.
import { isDeepStrictEqual } from 'node:util'
import type { HpaControllerOptions } from '../../webhook/cli/hpa-controller/controller.ts'
import type { HpaSpec, MetricSpec } from '../../webhook/cli/hpa-controller/spec.ts'
import type { HpaCase } from './hpa-cases.ts'
import { type Sync, type SyncStatus, simulate } from './hpa-model.ts'

/** The observed behaviour of the real controller. */
export interface Observed {
  /** The times of the syncs in milliseconds, at least of all planned ones. */
  readonly times: readonly number[]
  /** The statuses that were written, in order. */
  readonly statuses: readonly SyncStatus[]
  /** `spec.size`, in order, from before the first sync on. */
  readonly sizes: readonly number[]
}

/** `waiting`: the observations so far do not differ, but they are not complete. */
export type Verdict =
  | { readonly kind: 'waiting'; readonly expected: unknown }
  | { readonly kind: 'agrees'; readonly syncs: readonly Sync[] }
  | { readonly kind: 'differs'; readonly expected: unknown; readonly observed: unknown }

/**
 * The controller reads the clock after it requests a metric, and again when it stores what it did. If a window ends this
 * close to a sync, the rest of the case is not compared.
 */
const UNCERTAINTY_MS = 1_000

/** The number of syncs to compare: those that request metrics, and one before them that does not. */
export function plannedSyncs({ spec, size, answers }: HpaCase): number {
  // No sync requests metrics at size 0, or if no target matches its type.
  if (size === 0 || !spec.metrics.some(isRequested)) return 1
  return (answers[0]?.length ?? 0) + (isOutside(spec, size) ? 1 : 0)
}

/** Whether the size is outside its bounds: then the first sync requests no metrics. */
export function isOutside({ minReplicas = 1, maxReplicas }: HpaSpec, size: number): boolean {
  return size < minReplicas || size > maxReplicas
}

/** The controller does not request an Object metric whose target does not match its type. */
export function isRequested(metric: MetricSpec): boolean {
  if (metric.type === 'External') return true
  const { type, value, averageValue } = metric.object.target
  const amounts = { Value: value, AverageValue: averageValue, Utilization: undefined }
  return amounts[type] !== undefined
}

/** Compares the syncs whose outcome does not depend on fractions of a second. */
export function compare(
  hpaCase: HpaCase,
  observed: Observed,
  options: HpaControllerOptions,
): Verdict {
  const planned = plannedSyncs(hpaCase)
  const syncs = certainSyncs(hpaCase, observed.times.slice(0, planned), options)
  const expected = {
    statuses: withoutRepeats(syncs.map(({ status }) => status)),
    sizes: withoutRepeats([hpaCase.size, ...syncs.map(({ size }) => size)]),
  }
  const statuses = withoutRepeats(observed.statuses)
  const sizes = withoutRepeats(observed.sizes)
  const seen = {
    statuses: statuses.slice(0, expected.statuses.length),
    sizes: sizes.slice(0, expected.sizes.length),
  }
  const isComplete =
    observed.times.length >= planned &&
    statuses.length >= expected.statuses.length &&
    sizes.length >= expected.sizes.length
  if (!isComplete) return { kind: 'waiting', expected }
  if (!isDeepStrictEqual(seen, expected)) return { kind: 'differs', expected, observed: seen }
  return { kind: 'agrees', syncs }
}

/** The syncs whose outcome does not depend on fractions of a second. */
function certainSyncs(
  hpaCase: HpaCase,
  times: readonly number[],
  options: HpaControllerOptions,
): readonly Sync[] {
  const stretched = [-UNCERTAINTY_MS, 0, UNCERTAINTY_MS].map((ms) =>
    simulate(
      hpaCase,
      times.map((time, index) => time + index * ms),
      options,
    ),
  )
  const [syncs = [], ...others] = stretched
  const doubtful = syncs.findIndex((sync, index) =>
    others.some((other) => !isDeepStrictEqual(other[index], sync)),
  )
  return doubtful === -1 ? syncs : syncs.slice(0, doubtful)
}

/** The controller does not write a status that has not changed. */
function withoutRepeats<T>(items: readonly T[]): readonly T[] {
  return items.filter((item, index) => index === 0 || !isDeepStrictEqual(item, items[index - 1]))
}
