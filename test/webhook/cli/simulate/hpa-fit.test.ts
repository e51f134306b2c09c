// Whether HPAs fit a Queue, table by table, and that the examples do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MetricSpec } from '../../../../webhook/cli/simulate/hpa-controller/spec.ts'
import { misfitsOf } from '../../../../webhook/cli/simulate/hpa-fit.ts'
import type { QueueOfJobs } from '../../../../webhook/cli/simulate/queue-source.ts'

const QUEUE: QueueOfJobs = {
  nodes: { start: 1, max: 8, cores: 8, gpus: 0 },
  fill: 'lowest',
  queues: undefined,
  idleGrace: undefined,
  until: undefined,
  arrivals: [],
}
const NAMED: QueueOfJobs = { ...QUEUE, queues: { batch: [0, 1], debug: [2] } }

const target = { type: 'AverageValue', averageValue: '1' } as const

function objectMetric(name: string, selector?: MetricSelector): MetricSpec {
  const describedObject = { kind: 'MiniCluster', name: 'flux-sample' }
  return {
    type: 'Object',
    object: { describedObject, metric: { name, ...(selector && { selector }) }, target },
  }
}

function externalMetric(name: string, selector?: MetricSelector): MetricSpec {
  return { type: 'External', external: { metric: { name, ...(selector && { selector }) }, target } }
}

type MetricSelector = {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly object[]
}

const batch = { matchLabels: { queue: 'batch' } }

const METRIC_CASES: readonly (readonly [
  metric: MetricSpec,
  queue: QueueOfJobs,
  problem: string | undefined,
])[] = [
  [objectMetric('node_desired_count'), QUEUE, undefined],
  [objectMetric('node_desired_count', batch), NAMED, undefined],
  [externalMetric('node_desired_count', { matchLabels: { minicluster: 'x' } }), QUEUE, undefined],
  [
    objectMetric('node_desired_cuont'),
    QUEUE,
    'object.metric.name: expected a metric of ours, got "node_desired_cuont"; did you mean node_desired_count?',
  ],
  [externalMetric('cpu'), QUEUE, 'external.metric.name: expected a metric of ours, got "cpu"'],
  [
    objectMetric('node_desired_count', batch),
    QUEUE,
    `object.metric.selector: expected no queue: the Queue's spec.queues has none, got "batch"`,
  ],
  [
    objectMetric('node_desired_count', { matchLabels: { queue: 'long' } }),
    NAMED,
    'object.metric.selector: expected batch or debug, got "long"',
  ],
  [
    objectMetric('node_desired_count', { matchLabels: { minicluster: 'x' } }),
    NAMED,
    'object.metric.selector: expected the label queue, got "minicluster"',
  ],
  [
    objectMetric('node_up_count', batch),
    NAMED,
    'object.metric.selector: expected no label, got "queue"',
  ],
  [
    objectMetric('node_desired_count', {
      matchExpressions: [{ key: 'queue', operator: 'Exists' }],
    }),
    NAMED,
    'object.metric.selector: expected matchLabels: no others are simulated',
  ],
]

for (const [metric, queue, problem] of METRIC_CASES) {
  test(`misfitsOf says of a metric: ${problem ?? 'nothing'} (${JSON.stringify(metric)})`, () => {
    const found = misfitsOf(
      { placeOf: (path) => `hpa.yaml ${path.join('.')}` },
      { maxReplicas: 8, metrics: [objectMetric('node_up_count'), metric] },
      queue,
    )
    const place = problem?.split(': ')[0] ?? ''
    assert.deepEqual(
      found,
      problem === undefined ? [] : [`hpa.yaml spec.metrics.1.${place}: spec.metrics[1].${problem}`],
    )
  })
}

test('misfitsOf compares sizes with those that the MiniCluster can have', () => {
  const sizes = (minReplicas: number, maxReplicas: number) =>
    misfitsOf({ placeOf: () => 'hpa.yaml:1' }, { minReplicas, maxReplicas, metrics: [] }, QUEUE)
  assert.deepEqual(sizes(8, 8), [])
  assert.deepEqual(sizes(1, 9), [
    "hpa.yaml:1: spec.maxReplicas: expected at most the Queue's spec.nodes.max, 8, got 9",
  ])
  assert.deepEqual(sizes(3, 2), [
    'hpa.yaml:1: spec.minReplicas: expected at most spec.maxReplicas, 2, got 3',
  ])
})
