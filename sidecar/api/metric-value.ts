// Encodes MetricValueList, the answer to a metric request, in v1beta1 or v1beta2.
import { formatTime } from '#serving/time.ts'
import { GROUP, type Version } from './api-group.ts'
import type { ObjectReference } from './described-object.ts'
import type { LabelSelector } from './selectors/selector.ts'

/** The value of a metric of one object at one time. */
export interface MetricValue {
  readonly describedObject: ObjectReference
  readonly metric: string
  /** The selector of the series that were added up; `undefined` for all series. */
  readonly selector: LabelSelector | undefined
  readonly timestamp: Date
  /** A resource.Quantity. */
  readonly value: string
}

/** Encodes the list as JSON. `windowSeconds` is absent, because the values are no rates. */
export function encodeMetricValueList(version: Version, values: readonly MetricValue[]): string {
  return JSON.stringify({
    kind: 'MetricValueList',
    apiVersion: `${GROUP}/${version}`,
    metadata: {},
    items: values.map(ENCODERS[version]),
  })
}

const ENCODERS: Readonly<Record<Version, (value: MetricValue) => object>> = {
  v1beta1: ({ describedObject, metric, selector, timestamp, value }) => ({
    describedObject,
    metricName: metric,
    timestamp: formatTime(timestamp),
    value,
    selector,
  }),
  v1beta2: ({ describedObject, metric, selector, timestamp, value }) => ({
    describedObject,
    metric: { name: metric, selector },
    timestamp: formatTime(timestamp),
    value,
  }),
}
