// Whether HPAs fit a Queue, table by table, and that the examples do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
  ObjectReference,
} from '../../../../../webhook/cli/hpa-controller/spec.ts'
import { misfitsOf } from '../../../../../webhook/cli/simulate/input/hpa-fit.ts'
import type { QueueOfJobs } from '../../../../../webhook/cli/simulate/input/queue-source.ts'

const QUEUE: QueueOfJobs = {
  nodes: { start: 1, max: 8, cores: 8, gpus: 0 },
  fill: 'lowest',
  refuseWide: false,
  passAbsent: false,
  queues: undefined,
  idleGrace: undefined,
  until: undefined,
  arrivals: [],
}
const NAMED: QueueOfJobs = { ...QUEUE, queues: { batch: [0, 1], debug: [2] } }

const AVERAGE: MetricTarget = { type: 'AverageValue', averageValue: '1' }

const MINICLUSTER = {
  apiVersion: 'flux-framework.org/v1alpha2',
  kind: 'MiniCluster',
  name: 'flux-sample',
} as const

function objectMetric(name: string, selector?: MetricSelector): MetricSpec {
  return metricOn(MINICLUSTER, AVERAGE, { name, ...(selector && { selector }) })
}

function metricOn(
  describedObject: ObjectReference,
  target = AVERAGE,
  metric: MetricIdentifier = { name: 'node_desired_count' },
): MetricSpec {
  return { type: 'Object', object: { describedObject, metric, target } }
}

function externalMetric(
  name: string,
  selector?: MetricSelector,
  target: MetricTarget = AVERAGE,
): MetricSpec {
  return { type: 'External', external: { metric: { name, ...(selector && { selector }) }, target } }
}

type MetricSelector = {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly object[]
}

const batch = { matchLabels: { queue: 'batch' } }

const DESCRIBED =
  'expected MiniCluster "flux-sample" of flux-framework.org, Service "custom-metrics-apiserver" or a Namespace'

const METRIC_CASES: readonly (readonly [
  metric: MetricSpec,
  queue: QueueOfJobs,
  problem: string | undefined,
])[] = [
  [objectMetric('node_desired_count'), QUEUE, undefined],
  [objectMetric('node_desired_count', batch), NAMED, undefined],
  [
    externalMetric('node_desired_count', { matchLabels: { minicluster: 'flux-sample' } }),
    QUEUE,
    undefined,
  ],
  [
    externalMetric('node_desired_count', { matchLabels: { minicluster: 'x' } }),
    QUEUE,
    'external.metric.selector: expected minicluster "flux-sample", as in spec.scaleTargetRef, got "x"',
  ],
  [metricOn({ kind: 'Service', name: 'custom-metrics-apiserver' }), QUEUE, undefined],
  [metricOn({ kind: 'Namespace', name: 'hpc' }), QUEUE, undefined],
  [
    metricOn({ kind: 'Service', name: 'web' }),
    QUEUE,
    `object.describedObject: ${DESCRIBED}, got Service "web" of v1`,
  ],
  [
    metricOn({ ...MINICLUSTER, name: 'other' }),
    QUEUE,
    `object.describedObject: ${DESCRIBED}, got MiniCluster "other" of flux-framework.org/v1alpha2`,
  ],
  [
    metricOn({ kind: 'MiniCluster', name: 'flux-sample' }),
    QUEUE,
    `object.describedObject: ${DESCRIBED}, got MiniCluster "flux-sample" of v1`,
  ],
  [
    metricOn(MINICLUSTER, { type: 'AverageValue', value: 1 }),
    QUEUE,
    'object.target: expected averageValue, got none: the HPA would never change the size',
  ],
  [
    metricOn(MINICLUSTER, { type: 'Value', averageValue: 1 }),
    QUEUE,
    'object.target: expected value, got none: the HPA would never change the size',
  ],
  [metricOn(MINICLUSTER, { type: 'Value', value: 1, averageValue: 1 }), QUEUE, undefined],
  [
    metricOn(MINICLUSTER, { type: 'Utilization', value: 1 }),
    QUEUE,
    'object.target.type: expected Value or AverageValue, got Utilization',
  ],
  [
    externalMetric('node_desired_count', undefined, { type: 'AverageValue', value: 1 }),
    QUEUE,
    undefined,
  ],
  [
    externalMetric('node_desired_count', undefined, { type: 'Value', value: 1, averageValue: 1 }),
    QUEUE,
    'external.target: expected value or averageValue, got both',
  ],
  [
    objectMetric('node_desired_cuont'),
    QUEUE,
    'object.metric.name: expected a metric of ours, got "node_desired_cuont"; did you mean node_desired_count?',
  ],
  [
    objectMetric('node_unavailable_count'),
    QUEUE,
    'object.metric.name: expected a metric that is simulated, got "node_unavailable_count", which is for alerts',
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
      {
        scaleTargetRef: MINICLUSTER,
        maxReplicas: 8,
        metrics: [objectMetric('node_up_count'), metric],
      },
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
  assert.deepEqual(sizes(0, 2), [
    'hpa.yaml:1: spec.minReplicas: expected at least 1, got 0: the Flux Operator stops acting on a MiniCluster of size 0',
  ])
})

test('misfitsOf refuses an HPA that scales something else', () => {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
  assert.deepEqual(
    misfitsOf(
      { placeOf: () => 'hpa.yaml:1' },
      { scaleTargetRef, maxReplicas: 8, metrics: [objectMetric('node_up_count')] },
      QUEUE,
    ),
    [
      'hpa.yaml:1: spec.scaleTargetRef: expected a MiniCluster of flux-framework.org/v1alpha2, got Deployment "web" of apps/v1',
    ],
  )
})
