// The fields of core/v1 `Event` that are read. Pure.
import * as v from 'valibot'
import type { ClusterObject } from '../../kubernetes/cluster.ts'

/** An Event. Times are milliseconds since 1970. */
export interface Said {
  readonly reason: string
  /** Who wrote it: `karpenter`, `default-scheduler`. */
  readonly component: string
  readonly message: string
  readonly firstAt: number
  readonly lastAt: number
}

const Text = v.nullish(v.string(), '')

const EventSchema = v.object({
  metadata: v.object({ creationTimestamp: Text }),
  reason: Text,
  message: Text,
  reportingComponent: Text,
  source: v.nullish(v.object({ component: Text }), { component: '' }),
  firstTimestamp: Text,
  lastTimestamp: Text,
  eventTime: Text,
  series: v.nullish(v.object({ lastObservedTime: Text }), { lastObservedTime: '' }),
})

/** @returns `undefined` for an object without a time, or with a field of another type */
export function toSaid(object: ClusterObject): Said | undefined {
  const parsed = v.safeParse(EventSchema, object)
  if (!parsed.success) return undefined
  const { metadata, reason, message, ...event } = parsed.output
  const { firstTimestamp, lastTimestamp, eventTime, series } = event
  const firstAt = timeOf(firstTimestamp, eventTime, metadata.creationTimestamp)
  const lastAt = timeOf(series?.lastObservedTime, lastTimestamp, eventTime, firstTimestamp)
  if (Number.isNaN(firstAt) || Number.isNaN(lastAt)) return undefined
  const component = event.source?.component || event.reportingComponent || ''
  return { reason: reason ?? '', component, message: message ?? '', firstAt, lastAt }
}

/** The first that is there. */
function timeOf(...texts: readonly (string | null | undefined)[]): number {
  return Date.parse(texts.find((text) => text) ?? '')
}
