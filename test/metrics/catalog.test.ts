import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILTIN_METRICS, Catalog, METRICS } from '#metrics/catalog.ts'
import { GATEWAY_METRICS } from '#metrics/gateway-metrics.ts'
import type { Metric } from '#metrics/metric.ts'
import { SCALING_METRICS } from '#metrics/scaling-metrics.ts'
import { unknown } from '#reading/unknown.ts'
import { catalogTable } from '../support/catalog-table.ts'
import { snapshotOf } from '../support/snapshots.ts'

const WHOLE: Readonly<Record<string, number>> = {
  node_total_count: 16,
  node_up_count: 10,
  node_down_count: 6,
  node_free_count: 5,
  node_allocated_count: 7,
  node_idle_count: 3,
  node_drained_count: 2,
  node_cores_total_count: 128,
  node_cores_up_count: 80,
  node_cores_allocated_count: 44,
  node_cores_free_count: 36,
  node_gpus_total_count: 32,
  node_gpus_up_count: 20,
  node_gpus_allocated_count: 11,
  node_gpus_free_count: 9,
  job_queue_state_new_count: 300,
  job_queue_state_depend_count: 301,
  job_queue_state_priority_count: 302,
  job_queue_state_sched_count: 303,
  job_queue_state_run_count: 304,
  job_queue_state_cleanup_count: 305,
  job_queue_state_inactive_count: 306,
  job_pending_count: 301 + 302 + 303,
  job_active_count: 301 + 302 + 303 + 304 + 305,
  job_successful_count: 307,
  job_failed_count: 308,
  job_canceled_count: 309,
  job_timeout_count: 310,
}

/** The metrics that users of the Flux Operator know since the prototype. */
const PROTOTYPE = [
  'node_up_count',
  'node_free_count',
  'node_cores_up_count',
  'node_cores_free_count',
  'job_queue_state_new_count',
  'job_queue_state_depend_count',
  'job_queue_state_priority_count',
  'job_queue_state_sched_count',
  'job_queue_state_run_count',
  'job_queue_state_cleanup_count',
  'job_queue_state_inactive_count',
]

/** The rows of scaling-metrics.ts have tests of their own. */
const COUNTS = BUILTIN_METRICS.filter(
  (metric) => !SCALING_METRICS.includes(metric) && !GATEWAY_METRICS.includes(metric),
)

const jobMetrics = COUNTS.filter(({ unit }) => unit === 'jobs')
const nodeMetrics = COUNTS.filter(({ unit }) => unit !== 'jobs')

test('every metric reads its own number of the whole instance', () => {
  const snapshot = snapshotOf()
  const values = COUNTS.map((metric) => [metric.name, metric.value(snapshot, {})])
  assert.deepEqual(Object.fromEntries(values), WHOLE)
})

test('what only the gateway knows is unknown to a sidecar, which says who knows it', () => {
  for (const metric of GATEWAY_METRICS) {
    assert.deepEqual(
      metric.value(snapshotOf(), {}),
      unknown('the sidecar sees no pods; the gateway does (docs/GATEWAY.md)'),
    )
  }
})

test('the prototype’s eleven metrics are in the catalog', () => {
  assert.deepEqual(
    PROTOTYPE.filter((name) => !METRICS.has(name)),
    [],
  )
})

test('METRICS has each row of the catalog under its name', () => {
  assert.deepEqual([...METRICS.values()], BUILTIN_METRICS)
})

const ANSWER: Metric = {
  name: 'answer',
  help: 'The answer',
  unit: 'answers',
  kind: 'gauge',
  labels: [],
  value: () => 42,
}

test('a Catalog begins with our own metrics', () => {
  const catalog = new Catalog()
  assert.deepEqual(catalog.all(), BUILTIN_METRICS)
  assert.deepEqual(catalog.userMetrics, [])
  assert.equal(catalog.find('node_up_count'), METRICS.get('node_up_count'))
})

test('a Catalog lists user metrics after our own', () => {
  const catalog = new Catalog()
  catalog.setUserMetrics([ANSWER])
  assert.deepEqual(catalog.all(), [...BUILTIN_METRICS, ANSWER])
  assert.deepEqual([catalog.find('answer'), catalog.userMetrics], [ANSWER, [ANSWER]])
})

test('a Catalog drops user metrics that are no longer defined', () => {
  const catalog = new Catalog()
  catalog.setUserMetrics([ANSWER])
  catalog.setUserMetrics([{ ...ANSWER, name: 'question' }])
  assert.equal(catalog.find('answer'), undefined)
  assert.equal(catalog.all().length, BUILTIN_METRICS.length + 1)
})

test('a Catalog changes its version whenever its metrics are replaced', () => {
  const catalog = new Catalog()
  const versions = [catalog.version]
  for (const metrics of [[ANSWER], [], [ANSWER]]) {
    catalog.setUserMetrics(metrics)
    versions.push(catalog.version)
  }
  assert.equal(new Set(versions).size, 4)
})

test('an HPA is told which metrics are sizes, and which count what there is', () => {
  const named = (wanted: Metric['role']) =>
    BUILTIN_METRICS.filter(({ role }) => role === wanted).map(({ name }) => name)
  assert.deepEqual(named('size'), [
    'node_desired_count',
    'node_desired_compensated_count',
    'node_floor_count',
    'node_demand_count',
  ])
  const supply = /^node(_cores|_gpus)?_(total|up|down|free|idle)_count$/
  const there = BUILTIN_METRICS.map(({ name }) => name).filter((name) => supply.test(name))
  assert.deepEqual(named('supply'), there)
})

test('names and definitions have one style', () => {
  for (const { name, help, kind } of BUILTIN_METRICS) {
    assert.match(name, /^(node|job|snapshot)(_[a-z]+)+_(count|seconds(_max|_p90)?)$/)
    assert.match(help, /^[A-Z0-9][^|]*[^.|]$/)
    assert.equal(kind, 'gauge')
  }
})

test('metrics of jobs have the label queue, the others none', () => {
  for (const { labels } of jobMetrics) assert.deepEqual(labels, ['queue'])
  for (const { labels } of nodeMetrics) assert.deepEqual(labels, [])
})

test('a metric of jobs is the sum over the queues selected', () => {
  const snapshot = snapshotOf()
  const value = (queues: readonly string[]) =>
    METRICS.get('job_queue_state_run_count')?.value(snapshot, { queues })
  assert.deepEqual([value(['batch']), value(['debug']), value(['batch', 'debug'])], [104, 204, 308])
})

test('a metric of jobs rejects a queue that does not exist', () => {
  for (const metric of jobMetrics) {
    assert.throws(() => metric.value(snapshotOf(), { queues: ['nosuch'] }), {
      name: 'RangeError',
      message: 'Cannot count jobs: no queue "nosuch"',
    })
  }
})

test('metrics of jobs are not known while Flux hides them; the others are', () => {
  const snapshot = snapshotOf({ jobs: { kind: 'unknown', reason: 'private' } })
  for (const metric of jobMetrics) {
    assert.deepEqual(metric.value(snapshot, {}), unknown('private'))
  }
  for (const metric of nodeMetrics) assert.equal(metric.value(snapshot, {}), WHOLE[metric.name])
})

test('the table for docs/reference/METRICS.md has a row for each metric', () => {
  const [head, line, ...rows] = catalogTable().split('\n')
  assert.equal(head, '| metric | unit | labels | definition |')
  assert.equal(line, '|---|---|---|---|')
  assert.equal(rows.length, BUILTIN_METRICS.length)
  assert.ok(rows.includes('| `node_idle_count` | nodes |  | Up nodes with nothing allocated |'))
  assert.ok(rows.includes('| `job_queue_state_run_count` | jobs | `queue` | Jobs in state RUN |'))
})
