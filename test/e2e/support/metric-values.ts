// Reads the only item of a MetricValueList of either version, in a shape of our own.
import assert from 'node:assert/strict'

export interface Item {
  readonly metric: unknown
  readonly value: string
  readonly describedObject: unknown
  readonly timestamp: string
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Reflect.get(value, name)
}

/** The only item of a list; v1beta1 calls a metric `metricName`, v1beta2 `metric.name`. */
export function firstItem(list: unknown): Item {
  assert.equal(field(list, 'kind'), 'MetricValueList')
  const items = field(list, 'items')
  assert.ok(Array.isArray(items) && items.length === 1, `one item in ${JSON.stringify(list)}`)
  const item: unknown = items[0]
  const value = field(item, 'value')
  const timestamp = field(item, 'timestamp')
  assert.ok(typeof value === 'string' && typeof timestamp === 'string')
  return {
    metric: field(field(item, 'metric'), 'name') ?? field(item, 'metricName'),
    value,
    describedObject: field(item, 'describedObject'),
    timestamp,
  }
}
