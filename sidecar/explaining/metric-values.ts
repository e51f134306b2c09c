// The value of each metric of one snapshot, for people. Nobody scales on them: the collector is not told that they were read. Pure.
import type { Metric } from '#metrics/metric.ts'
import { isUnknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { shorten } from '#serving/text.ts'

/** A metric and its value for the whole instance. */
export interface MetricExplanation {
  readonly name: string
  readonly help: string
  readonly unit: string
  /** `null` if it is not known. */
  readonly value: number | null
  /** Why it is not known; `null` if it is. */
  readonly reason: string | null
}

const MAX_REASON = { characters: 300 }

/** In the order of the catalog. */
export function explainMetrics(
  metrics: readonly Metric[],
  snapshot: Snapshot,
): readonly MetricExplanation[] {
  return metrics.map((metric) => {
    const { name, help, unit } = metric
    const value = metric.value(snapshot, {})
    if (!isUnknown(value)) return { name, help, unit, value, reason: null }
    return { name, help, unit, value: null, reason: shorten(value.reason, MAX_REASON) }
  })
}
