import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILTIN_METRICS } from '#metrics/catalog.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { fresh, STALE, serveApp } from '../support/app.ts'
import { jobCounts, snapshotOf } from '../support/snapshots.ts'

const V1BETA2 = '/apis/custom.metrics.k8s.io/v1beta2'
const V1BETA1 = '/apis/custom.metrics.k8s.io/v1beta1'
const MINICLUSTER = '/namespaces/default/miniclusters.flux-framework.org/flux-sample'
const SERVICE = '/namespaces/default/services/custom-metrics-apiserver'
const NAMESPACE = '/namespaces/default/metrics'

const MINICLUSTER_REFERENCE = {
  kind: 'MiniCluster',
  namespace: 'default',
  name: 'flux-sample',
  apiVersion: 'flux-framework.org/v1alpha2',
}
const SERVICE_REFERENCE = {
  kind: 'Service',
  namespace: 'default',
  name: 'custom-metrics-apiserver',
  apiVersion: 'v1',
}
const NAMESPACE_REFERENCE = { kind: 'Namespace', name: 'default', apiVersion: 'v1' }
const SERVED =
  'the metrics here describe MiniCluster "flux-sample" (miniclusters.flux-framework.org), ' +
  'Service "custom-metrics-apiserver" (services) and their namespace "default"'

function status(code: number, reason: string, message: string) {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code,
  }
}

for (const [form, path, describedObject] of [
  ['a MiniCluster', MINICLUSTER, MINICLUSTER_REFERENCE],
  ['a Service', SERVICE, SERVICE_REFERENCE],
  ['a namespace', NAMESPACE, NAMESPACE_REFERENCE],
] as const) {
  test(`v1beta2 answers a metric of ${form}`, async (t) => {
    const app = await serveApp(t)
    const { code, headers, text } = await app.get(`${V1BETA2}${path}/node_up_count`)
    assert.equal(code, 200)
    assert.equal(headers['content-type'], 'application/json')
    assert.deepEqual(JSON.parse(text), {
      kind: 'MetricValueList',
      apiVersion: 'custom.metrics.k8s.io/v1beta2',
      metadata: {},
      items: [
        {
          describedObject,
          metric: { name: 'node_up_count' },
          timestamp: '2026-11-24T01:02:03Z',
          value: '10',
        },
      ],
    })
  })

  test(`v1beta1 answers a metric of ${form}`, async (t) => {
    const app = await serveApp(t)
    const { code, text } = await app.get(`${V1BETA1}${path}/node_up_count`)
    assert.equal(code, 200)
    assert.deepEqual(JSON.parse(text), {
      kind: 'MetricValueList',
      apiVersion: 'custom.metrics.k8s.io/v1beta1',
      metadata: {},
      items: [
        {
          describedObject,
          metricName: 'node_up_count',
          timestamp: '2026-11-24T01:02:03Z',
          value: '10',
        },
      ],
    })
  })
}

test('both versions answer the same number for every metric', async (t) => {
  const app = await serveApp(t)
  const answer = async (version: string, name: string) => {
    const { code, text } = await app.get(`${version}${MINICLUSTER}/${name}`)
    return code === 200 ? JSON.parse(text).items[0].value : JSON.parse(text).message
  }
  for (const metric of BUILTIN_METRICS.filter(({ isTimeDependent }) => isTimeDependent !== true)) {
    const value = metric.value(snapshotOf(), {})
    const expected =
      typeof value === 'number' ? String(value) : `Cannot read ${metric.name}: ${value.reason}`
    assert.equal(await answer(V1BETA2, metric.name), expected)
    assert.equal(await answer(V1BETA1, metric.name), expected)
  }
})

test('a metric that depends on the time of the request is computed at each request', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-24T01:02:05.456Z') })
  const app = await serveApp(t)
  const age = async () => {
    const { text } = await app.get(`${V1BETA2}${MINICLUSTER}/snapshot_age_seconds`)
    return JSON.parse(text).items[0].value
  }
  assert.equal(await age(), '2')
  t.mock.timers.tick(500)
  assert.equal(await age(), '2500m')
})

test('a value is written as a canonical quantity', async (t) => {
  const app = await serveApp(t)
  app.reading = fresh({ nodes: { ...snapshotOf().nodes, up: 10_000 } })
  const { text } = await app.get(`${V1BETA2}${SERVICE}/node_up_count`)
  assert.equal(JSON.parse(text).items[0].value, '10k')
})

test('unknown query parameters are ignored', async (t) => {
  const app = await serveApp(t)
  const query = 'watch=true&timeout=10s&pretty=true&resourceVersion=0&labelSelector='
  const { code } = await app.get(`${V1BETA2}${SERVICE}/node_up_count?${query}`)
  assert.equal(code, 200)
})

// Objects

const OBJECTS: readonly (readonly [string, readonly string[]])[] = [
  ['miniclusters.flux-framework.org/%2A', ['flux-sample']],
  ['miniclusters.flux-framework.org/*', ['flux-sample']],
  ['services/%2A', ['custom-metrics-apiserver']],
  ['miniclusters.flux-framework.org/%2A?labelSelector=hpa-selector%3Dflux-sample', ['flux-sample']],
  [
    'miniclusters.flux-framework.org/%2A?labelSelector=hpa-selector+in+%28a%2Cflux-sample%29',
    ['flux-sample'],
  ],
  ['miniclusters.flux-framework.org/%2A?labelSelector=flux-metrics%2Fminicluster', ['flux-sample']],
  [
    'services/%2A?labelSelector=flux-metrics%2Fminicluster%3Dflux-sample',
    ['custom-metrics-apiserver'],
  ],
  ['miniclusters.flux-framework.org/%2A?labelSelector=hpa-selector%3Dother', []],
  ['services/%2A?labelSelector=hpa-selector', []],
  ['services/%2A?labelSelector=%21flux-metrics%2Fminicluster', []],
  [
    'miniclusters.flux-framework.org/flux-sample?labelSelector=hpa-selector%3Dother',
    ['flux-sample'],
  ],
  ['miniclusters.flux-framework.org/flux%2Dsample', ['flux-sample']],
]

for (const [object, names] of OBJECTS) {
  test(`${object} is ${names.length === 0 ? 'no object' : names.join()}`, async (t) => {
    const app = await serveApp(t)
    const [path = '', query = ''] = object.split('?')
    const target = `${V1BETA2}/namespaces/default/${path}/node_up_count?${query}`
    const { code, text } = await app.get(target)
    assert.equal(code, 200)
    const items: { describedObject: { name: string } }[] = JSON.parse(text).items
    assert.deepEqual(
      items.map(({ describedObject }) => describedObject.name),
      names,
    )
  })
}

test('"*" in another namespace is no object', async (t) => {
  const app = await serveApp(t)
  const { code, text } = await app.get(`${V1BETA2}/namespaces/other/services/%2A/node_up_count`)
  assert.equal(code, 200)
  assert.deepEqual(JSON.parse(text), {
    kind: 'MetricValueList',
    apiVersion: 'custom.metrics.k8s.io/v1beta2',
    metadata: {},
    items: [],
  })
})

const UNKNOWN: readonly (readonly [string, string])[] = [
  ['/namespaces/default/pods/flux-sample-0/node_up_count', 'resource "pods"'],
  ['/namespaces/default/pods/%2A/node_up_count', 'resource "pods"'],
  ['/namespaces/default/miniclusters/flux-sample/node_up_count', 'resource "miniclusters"'],
  ['/namespaces/default/namespaces/default/node_up_count', 'resource "namespaces"'],
  ['/namespaces/default/metrics/default/node_up_count', 'resource "metrics"'],
  ['/namespaces/default/services/x/node_up_count', 'Service "x" in namespace "default"'],
  ['/namespaces/default/services/x%2Fy/node_up_count', 'Service "x/y" in namespace "default"'],
  [
    '/namespaces/other/services/custom-metrics-apiserver/node_up_count',
    'Service "custom-metrics-apiserver" in namespace "other"',
  ],
  [
    '/namespaces/default/miniclusters.flux-framework.org/x/node_up_count',
    'MiniCluster "x" in namespace "default"',
  ],
  ['/namespaces/other/metrics/node_up_count', 'namespace "other"'],
  ['/namespaces/%2A/metrics/node_up_count', 'namespace "*"'],
]

for (const [path, what] of UNKNOWN) {
  test(`${path} is 404 and names the objects that are served`, async (t) => {
    const app = await serveApp(t)
    const { code, text } = await app.get(V1BETA2 + path)
    assert.equal(code, 404)
    const message = `Cannot find metrics of ${what}: ${SERVED}`
    assert.deepEqual(JSON.parse(text), status(404, 'NotFound', message))
  })
}

test('a long name is cut in the error message', async (t) => {
  const app = await serveApp(t)
  const { code, text } = await app.get(
    `${V1BETA2}/namespaces/${'x'.repeat(5000)}/metrics/node_up_count`,
  )
  assert.equal(code, 404)
  assert.ok(text.length < 1000)
})

// Paths

for (const path of [
  `${V1BETA2}${SERVICE}/node_up_count/`,
  `${V1BETA2}${SERVICE}`,
  `${V1BETA2}${SERVICE}/`,
  `${V1BETA2}${NAMESPACE}/`,
  `${V1BETA2}//namespaces/default/metrics/node_up_count`,
  `${V1BETA2}/Namespaces/default/metrics/node_up_count`,
  '/apis/custom.metrics.k8s.io/v1beta3/namespaces/default/metrics/node_up_count',
  '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/node_up_count',
]) {
  test(`${path} is 404`, async (t) => {
    const app = await serveApp(t)
    const { code, text } = await app.get(path)
    assert.equal(code, 404)
    assert.equal(JSON.parse(text).reason, 'NotFound')
  })
}

for (const segment of ['%E0%A4%A', '%', '%zz', '%C3%28']) {
  test(`a path segment ${segment} is 400`, async (t) => {
    const app = await serveApp(t)
    const { code, text } = await app.get(
      `${V1BETA2}/namespaces/default/services/${segment}/node_up_count`,
    )
    assert.equal(code, 400)
    const message = `Cannot decode path segment "${segment}": its percent-encoding is malformed`
    assert.deepEqual(JSON.parse(text), status(400, 'BadRequest', message))
  })
}

for (const method of ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
  test(`${method} is 405`, async (t) => {
    const app = await serveApp(t)
    const { code, headers } = await app.ask(method, `${V1BETA2}${SERVICE}/node_up_count`)
    assert.deepEqual([code, headers.allow], [405, 'GET'])
  })
}

// Metrics

test('an unknown metric is 404 with similar names', async (t) => {
  const app = await serveApp(t)
  const { code, text } = await app.get(`${V1BETA2}${SERVICE}/job_activ_count`)
  assert.equal(code, 404)
  const message =
    'the server could not find the metric job_activ_count for services custom-metrics-apiserver: ' +
    'did you mean "job_active_count"?'
  assert.deepEqual(JSON.parse(text), status(404, 'NotFound', message))
})

test('an unknown metric without similar names is 404 and points to discovery', async (t) => {
  const app = await serveApp(t)
  const { code, text } = await app.get(`${V1BETA2}${NAMESPACE}/cpu`)
  assert.equal(code, 404)
  const message =
    'the server could not find the metric cpu for namespaces default: ' +
    'the discovery document of this version lists all metrics'
  assert.deepEqual(JSON.parse(text), status(404, 'NotFound', message))
})

// Series

function queried(selector: string, metric = 'job_queue_state_run_count') {
  return `${MINICLUSTER}/${metric}?${new URLSearchParams({ metricLabelSelector: selector })}`
}

const SERIES: readonly (readonly [string, string, object])[] = [
  ['queue=debug', '204', { matchLabels: { queue: 'debug' } }],
  ['queue==batch', '104', { matchLabels: { queue: 'batch' } }],
  [
    'queue in (batch,debug)',
    '308',
    { matchExpressions: [{ key: 'queue', operator: 'In', values: ['batch', 'debug'] }] },
  ],
  [
    'queue!=debug',
    '104',
    { matchExpressions: [{ key: 'queue', operator: 'NotIn', values: ['debug'] }] },
  ],
  ['queue', '308', { matchExpressions: [{ key: 'queue', operator: 'Exists' }] }],
]

for (const [selector, value, echo] of SERIES) {
  test(`v1beta2 adds up the series with ${selector}`, async (t) => {
    const app = await serveApp(t)
    const { code, text } = await app.get(V1BETA2 + queried(selector))
    assert.equal(code, 200)
    assert.deepEqual(JSON.parse(text).items, [
      {
        describedObject: MINICLUSTER_REFERENCE,
        metric: { name: 'job_queue_state_run_count', selector: echo },
        timestamp: '2026-11-24T01:02:03Z',
        value,
      },
    ])
  })

  test(`v1beta1 adds up the series with ${selector}`, async (t) => {
    const app = await serveApp(t)
    const { code, text } = await app.get(V1BETA1 + queried(selector))
    assert.equal(code, 200)
    assert.deepEqual(JSON.parse(text).items, [
      {
        describedObject: MINICLUSTER_REFERENCE,
        metricName: 'job_queue_state_run_count',
        timestamp: '2026-11-24T01:02:03Z',
        value,
        selector: echo,
      },
    ])
  })
}

test('an empty metric selector is the whole instance', async (t) => {
  const app = await serveApp(t)
  const { text } = await app.get(V1BETA2 + queried(''))
  const [item] = JSON.parse(text).items
  assert.deepEqual([item.value, item.metric], ['304', { name: 'job_queue_state_run_count' }])
})

const NO_SERIES: readonly (readonly [string, string, string])[] = [
  [
    'job_active_count',
    'queue=debg',
    'its label is "queue", and the queues are "batch" and "debug"',
  ],
  [
    'job_active_count',
    'queue=debug,tier=a',
    'its label is "queue", and the queues are "batch" and "debug"',
  ],
  ['job_active_count', '!queue', 'its label is "queue", and the queues are "batch" and "debug"'],
  ['node_up_count', 'queue=debug', 'node_up_count has no labels'],
]

for (const [metric, selector, why] of NO_SERIES) {
  test(`${metric} with ${selector} is 404, never 0`, async (t) => {
    const app = await serveApp(t)
    const { code, text } = await app.get(V1BETA2 + queried(selector, metric))
    assert.equal(code, 404)
    const message = `the server could not find a series of the metric ${metric} with "${selector}": ${why}`
    assert.deepEqual(JSON.parse(text), status(404, 'NotFound', message))
  })
}

test('a metric of nodes is a series without labels', async (t) => {
  const app = await serveApp(t)
  const { code, text } = await app.get(V1BETA2 + queried('!queue,tier!=a', 'node_up_count'))
  assert.deepEqual([code, JSON.parse(text).items[0].value], [200, '10'])
})

test('without named queues a metric of jobs is a series without labels', async (t) => {
  const app = await serveApp(t)
  app.reading = fresh({ jobs: { kind: 'known', total: jobCounts(5), queues: new Map() } })
  const { code, text } = await app.get(V1BETA2 + queried('queue!=debug'))
  assert.deepEqual([code, JSON.parse(text).items[0].value], [200, '9'])
})

test('without named queues a request for a queue is 404', async (t) => {
  const app = await serveApp(t)
  app.reading = fresh({ jobs: { kind: 'known', total: jobCounts(5), queues: new Map() } })
  const { code, text } = await app.get(V1BETA2 + queried('queue=debug'))
  assert.equal(code, 404)
  assert.match(JSON.parse(text).message, /Flux has no named queues$/)
})

for (const [parameter, value, message] of [
  ['labelSelector', 'a=', undefined],
  [
    'labelSelector',
    'a in x',
    'Cannot parse labelSelector "a in x": expected "(" at position 6, found "x"',
  ],
  [
    'metricLabelSelector',
    'queue=(',
    'Cannot parse metricLabelSelector "queue=(": expected a value at position 7, found "("',
  ],
  [
    'metricLabelSelector',
    'queue>1',
    'Cannot select metrics by "queue>1": ">" is for labels of objects only',
  ],
] as const) {
  test(`${parameter}=${value} is ${message === undefined ? 200 : 400}`, async (t) => {
    const app = await serveApp(t)
    const query = new URLSearchParams({ [parameter]: value })
    const { code, text } = await app.get(`${V1BETA2}${SERVICE}/job_active_count?${query}`)
    assert.equal(code, message === undefined ? 200 : 400)
    if (message !== undefined)
      assert.deepEqual(JSON.parse(text), status(400, 'BadRequest', message))
  })
}

// Unknown values

test('a stale reading is 503 with the reason and the time of the last reading', async (t) => {
  const app = await serveApp(t)
  app.reading = STALE
  const { code, headers, text } = await app.get(`${V1BETA2}${SERVICE}/node_up_count`)
  assert.equal(code, 503)
  assert.equal(headers['retry-after'], undefined)
  const message =
    'Cannot read the state of Flux: the broker closed the connection (last read at 2026-11-24T01:02:03Z)'
  assert.deepEqual(JSON.parse(text), status(503, 'ServiceUnavailable', message))
})

test('before the first reading a metric is 503', async (t) => {
  const app = await serveApp(t)
  app.reading = { kind: 'stale', reason: 'not connected to the broker yet', since: undefined }
  const { code, text } = await app.get(`${V1BETA2}${SERVICE}/node_up_count`)
  assert.equal(code, 503)
  const message =
    'Cannot read the state of Flux: not connected to the broker yet (Flux was never read)'
  assert.deepEqual(JSON.parse(text), status(503, 'ServiceUnavailable', message))
})

for (const path of [
  `${SERVICE}/node_up_cont`,
  '/namespaces/default/services/x/node_up_count',
  '/namespaces/other/metrics/node_up_count',
]) {
  test(`${path} is 404 while the reading is stale, too`, async (t) => {
    const app = await serveApp(t)
    app.reading = STALE
    const { code } = await app.get(V1BETA2 + path)
    assert.equal(code, 404)
  })
}

test('a number that Flux hides is 503 with the reason, and other metrics are answered', async (t) => {
  const app = await serveApp(t)
  app.reading = fresh({ jobs: { kind: 'unknown', reason: 'Flux hides job counts from us' } })
  const withheld = await app.get(`${V1BETA2}${SERVICE}/job_active_count`)
  const known = await app.get(`${V1BETA2}${SERVICE}/node_up_count`)
  assert.deepEqual([withheld.code, known.code], [503, 200])
  const message = 'Cannot read job_active_count: Flux hides job counts from us'
  assert.deepEqual(JSON.parse(withheld.text), status(503, 'ServiceUnavailable', message))
})

test('a number that Flux hides is 503 with a selector, too', async (t) => {
  const app = await serveApp(t)
  app.reading = fresh({ jobs: { kind: 'unknown', reason: 'private' } })
  const { code } = await app.get(V1BETA2 + queried('queue=debug'))
  assert.equal(code, 503)
})

// Cached answers

test('an answer is the same the second time', async (t) => {
  const app = await serveApp(t)
  const target = V1BETA2 + queried('queue=debug')
  const first = await app.get(target)
  const second = await app.get(target)
  assert.equal(first.code, 200)
  assert.deepEqual(
    { ...second, headers: { ...second.headers, date: '' } },
    { ...first, headers: { ...first.headers, date: '' } },
  )
})

test('an answer follows the next snapshot', async (t) => {
  const app = await serveApp(t)
  const value = async () => {
    const { text } = await app.get(`${V1BETA2}${SERVICE}/node_up_count`)
    return JSON.parse(text).items[0].value
  }
  const before = await value()
  app.reading = fresh({ nodes: { ...snapshotOf().nodes, up: 11 } })
  assert.deepEqual([before, await value()], ['10', '11'])
})

test('a cached answer is not used while the reading is stale', async (t) => {
  const app = await serveApp(t)
  const target = `${V1BETA2}${SERVICE}/node_up_count`
  const before = await app.get(target)
  app.reading = STALE
  const after = await app.get(target)
  assert.deepEqual([before.code, after.code], [200, 503])
})

test('who is given a metric is noted, each time, and no other request is', async (t) => {
  const reading = fresh()
  const noted: Snapshot[] = []
  const app = await serveApp(t, {
    source: { reading: () => reading, noteAnswer: (snapshot) => noted.push(snapshot) },
    external: true,
  })
  const external = '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/node_up_count'
  for (const path of [`${V1BETA2}${MINICLUSTER}/node_up_count`, external]) {
    noted.length = 0
    for (const times of [1, 2]) {
      assert.equal((await app.get(path)).code, 200)
      assert.equal(noted.length, times)
    }
  }
  noted.length = 0
  for (const path of ['/readyz', '/metrics', '/explain', V1BETA2]) await app.get(path)
  assert.deepEqual(noted, [])
})

const HPA_CONTROLLER = 'system:serviceaccount:kube-system:horizontal-pod-autoscaler'

test('only the HPA controller that is given the published size is noted as it, also from the cache', async (t) => {
  const reading = fresh()
  const readers: string[] = []
  const app = await serveApp(t, {
    source: { reading: () => reading, noteAnswer: (_, reader) => readers.push(reader) },
    clients: { verify: () => ({ kind: 'verified', name: 'front-proxy-client' }) },
    external: true,
  })
  const external = '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/'
  const hpa = HPA_CONTROLLER
  const cases = [
    ['node_desired_count', hpa, 'hpa'],
    ['node_desired_compensated_count', hpa, 'hpa'],
    ['node_desired_count', 'system:kube-controller-manager', 'hpa'],
    ['node_desired_count', 'kubernetes-admin', 'other'],
    ['node_desired_count', `${hpa},kubernetes-admin`, 'other'],
    ['node_desired_count', undefined, 'other'],
    ['node_floor_count', hpa, 'other'],
    ['job_active_count', hpa, 'other'],
  ] as const
  for (const [metric, user, expected] of cases) {
    readers.length = 0
    const headers = user === undefined ? {} : { 'X-Remote-User': user }
    const custom = `${V1BETA2}${MINICLUSTER}/${metric}`
    for (const path of [custom, custom, `${external}${metric}`]) {
      assert.equal((await app.get(path, headers)).code, 200)
    }
    assert.deepEqual(readers, [expected, expected, expected], `${metric} for ${user}`)
  }
})

test('nobody is noted as the HPA controller where clients are not authenticated', async (t) => {
  const reading = fresh()
  const readers: string[] = []
  const app = await serveApp(t, {
    source: { reading: () => reading, noteAnswer: (_, reader) => readers.push(reader) },
    external: true,
  })
  const path = `${V1BETA2}${MINICLUSTER}/node_desired_count`
  const external = '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/node_desired_count'
  for (const asked of [path, path, external]) {
    assert.equal((await app.get(asked, { 'X-Remote-User': HPA_CONTROLLER })).code, 200)
  }
  assert.deepEqual(readers, ['other', 'other', 'other'])
})
