// Compares what the real controller made of a case with what our Hpa makes of it. No cluster: what was seen is data.
import { isDeepStrictEqual } from 'node:util'
import type { HpaControllerOptions } from '../../webhook/cli/simulate/hpa-controller/controller.ts'
import type { HpaSpec, MetricSpec } from '../../webhook/cli/simulate/hpa-controller/spec.ts'
import type { HpaCase } from './hpa-cases.ts'
import { type Sync, type SyncStatus, simulate } from './hpa-model.ts'

/** What the real controller did. */
export interface Observed {
  /** When each sync was, in milliseconds: at least when each planned one was. */
  readonly times: readonly number[]
  /** What was written into the status, in order. */
  readonly statuses: readonly SyncStatus[]
  /** `spec.size`, in order, from before the first sync on. */
  readonly sizes: readonly number[]
}

/** `waiting`: what was seen up to now does not contradict, but there is more to come. */
export type Verdict =
  | { readonly kind: 'waiting'; readonly expected: unknown }
  | { readonly kind: 'agrees'; readonly syncs: readonly Sync[] }
  | { readonly kind: 'differs'; readonly expected: unknown; readonly observed: unknown }

/**
 * The controller looks at the clock later than it asks for a metric, and remembers still later what it did. Where a window
 * ends within this of a sync, the case says nothing any more.
 */
const UNCERTAINTY_MS = 1_000

/** How many syncs of a case there are to compare: those that ask for metrics, and one before that does not. */
export function plannedSyncs({ spec, size, answers }: HpaCase): number {
  // At size 0 no sync ever asks, nor where no target is one.
  if (size === 0 || !spec.metrics.some(isRequested)) return 1
  return (answers[0]?.length ?? 0) + (isOutside(spec, size) ? 1 : 0)
}

/** Whether the first sync asks for no metrics. */
export function isOutside({ minReplicas = 1, maxReplicas }: HpaSpec, size: number): boolean {
  return size < minReplicas || size > maxReplicas
}

/** The controller does not ask for an Object metric whose target is not of its type. */
export function isRequested(metric: MetricSpec): boolean {
  if (metric.type === 'External') return true
  const { type, value, averageValue } = metric.object.target
  const amounts = { Value: value, AverageValue: averageValue, Utilization: undefined }
  return amounts[type] !== undefined
}

/** Whether both agree, as far as it can be told. */
export function compare(hpaCase: HpaCase, observed: Observed, options: HpaControllerOptions): Verdict {
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
  const isWhole =
    observed.times.length >= planned &&
    statuses.length >= expected.statuses.length &&
    sizes.length >= expected.sizes.length
  if (!isWhole) return { kind: 'waiting', expected }
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

/** A status that is what it was before is not written. */
function withoutRepeats<T>(items: readonly T[]): readonly T[] {
  return items.filter((item, index) => index === 0 || !isDeepStrictEqual(item, items[index - 1]))
}
