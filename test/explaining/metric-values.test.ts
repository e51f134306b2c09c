import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainMetrics } from '#explaining/metric-values.ts'
import { BUILTIN_METRICS, METRICS } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'
import { unknown } from '#reading/unknown.ts'
import { snapshotOf } from '../support/snapshots.ts'

test('every metric of the catalog has its value, or why it is not known', () => {
  const found = explainMetrics(BUILTIN_METRICS, snapshotOf())
  assert.deepEqual(
    found.map(({ name }) => name),
    BUILTIN_METRICS.map(({ name }) => name),
  )
  const of = (name: string) => found.find((metric) => metric.name === name)
  assert.deepEqual(of('node_up_count'), {
    name: 'node_up_count',
    help: METRICS.get('node_up_count')?.help,
    unit: 'nodes',
    value: 10,
    reason: null,
  })
  const { value, reason } = of('node_unavailable_count') ?? {}
  assert.equal(value, null)
  assert.match(reason ?? '', /the sidecar sees no pods/)
})

test('a long reason is cut', () => {
  const metric: Metric = {
    ...{ name: 'of_users', help: 'one', unit: 'jobs', labels: [] },
    kind: 'gauge',
    value: () => unknown('x'.repeat(1_000)),
  }
  const [found] = explainMetrics([metric], snapshotOf())
  assert.equal(found?.reason?.length, 301)
})
