import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILTIN_METRICS } from '#metrics/catalog.ts'
import { fresh, STALE, serveApp } from '../support/app.ts'

const ROOT = '/apis/external.metrics.k8s.io/v1beta1'
const TIMESTAMP = '2026-11-24T01:02:03Z'
const V2_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

function path(metric: string, selector?: string, namespace = 'default'): string {
  const query = selector === undefined ? '' : `?labelSelector=${encodeURIComponent(selector)}`
  return `${ROOT}/namespaces/${namespace}/${metric}${query}`
}

test('external metrics are not served unless enabled', async (t) => {
  const app = await serveApp(t)
  assert.equal((await app.get(path('node_up_count'))).code, 404)
  assert.doesNotMatch((await app.get('/apis')).text, /external/)
})

test('an external metric is one item with the label of its MiniCluster', async (t) => {
  const app = await serveApp(t, { external: true })
  const { code, headers, text } = await app.get(path('node_up_count'))
  assert.deepEqual([code, headers['content-type']], [200, 'application/json'])
  assert.deepEqual(JSON.parse(text), {
    kind: 'ExternalMetricValueList',
    apiVersion: 'external.metrics.k8s.io/v1beta1',
    metadata: {},
    items: [
      {
        metricName: 'node_up_count',
        metricLabels: { minicluster: 'flux-sample' },
        timestamp: TIMESTAMP,
        value: '10',
      },
    ],
  })
})

const SELECTED: readonly [
  selector: string,
  items: readonly (readonly [string | undefined, string])[],
][] = [
  ['minicluster=flux-sample', [[undefined, '303']]],
  ['minicluster=flux-sample,queue=debug', [['debug', '203']]],
  [
    'queue in (batch,debug)',
    [
      ['batch', '103'],
      ['debug', '203'],
    ],
  ],
  [
    'queue',
    [
      ['batch', '103'],
      ['debug', '203'],
    ],
  ],
  ['queue!=batch', [['debug', '203']]],
  ['minicluster=another', []],
  ['minicluster!=flux-sample', []],
]

for (const [selector, expected] of SELECTED) {
  test(`external job metrics with "${selector}" are the total or its parts, never both`, async (t) => {
    const app = await serveApp(t, { external: true })
    const { items } = JSON.parse(
      (await app.get(path('job_queue_state_sched_count', selector))).text,
    )
    const got = items.map(
      ({ metricLabels, value }: { metricLabels: { queue?: string }; value: string }) => [
        metricLabels.queue,
        value,
      ],
    )
    assert.deepEqual(got, expected)
  })
}

test('external metrics of another namespace are an empty list', async (t) => {
  const app = await serveApp(t, { external: true })
  const { code, text } = await app.get(path('node_up_count', undefined, 'elsewhere'))
  assert.deepEqual([code, JSON.parse(text).items], [200, []])
})

const REFUSED: readonly [what: string, target: string, code: number, message: RegExp][] = [
  ['an unknown metric', path('node_upcount'), 404, /did you mean "node_up_count"/],
  [
    'an unknown queue',
    path('job_pending_count', 'queue=gpu'),
    404,
    /the queues are "batch" and "debug"/,
  ],
  ['a label that nothing has', path('node_up_count', 'rack=1'), 404, /node_up_count has no labels/],
  ['a selector that cannot be read', path('node_up_count', 'a in b'), 400, /labelSelector/],
]

for (const [what, target, code, message] of REFUSED) {
  test(`external metrics answer ${code} to ${what}`, async (t) => {
    const app = await serveApp(t, { external: true })
    const answer = await app.get(target)
    assert.equal(answer.code, code)
    assert.match(JSON.parse(answer.text).message, message)
  })
}

test('external metrics are 503 while the reading is stale', async (t) => {
  const app = await serveApp(t, { external: true })
  app.reading = STALE
  assert.equal((await app.get(path('node_up_count'))).code, 503)
})

test('external job metrics are 503 while Flux hides them', async (t) => {
  const app = await serveApp(t, { external: true })
  app.reading = fresh({ jobs: { kind: 'unknown', reason: 'private mode' } })
  assert.equal((await app.get(path('job_pending_count'))).code, 503)
  assert.equal((await app.get(path('node_up_count'))).code, 200)
})

test('discovery lists both groups, in both forms', async (t) => {
  const app = await serveApp(t, { external: true })
  const plain = JSON.parse((await app.get('/apis')).text)
  assert.deepEqual(
    plain.groups.map(({ name }: { name: string }) => name),
    ['custom.metrics.k8s.io', 'external.metrics.k8s.io'],
  )
  const aggregated = JSON.parse((await app.get('/apis', { Accept: V2_TYPE })).text)
  const [, group] = aggregated.items
  assert.deepEqual(
    group.versions[0].resources.map(({ resource }: { resource: string }) => resource),
    BUILTIN_METRICS.map(({ name }) => name),
  )
  const list = JSON.parse((await app.get(ROOT)).text)
  assert.deepEqual(
    list.resources.map(({ name, verbs }: { name: string; verbs: string[] }) => [name, verbs]),
    BUILTIN_METRICS.map(({ name }) => [name, ['get']]),
  )
})
