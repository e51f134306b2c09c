// User metrics at every path that serves metrics, before and after a change.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILTIN_METRICS, Catalog } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'
import { RESERVED_PREFIXES } from '#metrics/user-metrics/user-metrics.ts'
import { unknown } from '#reading/unknown.ts'
import { STALE, serveApp } from '../support/app.ts'

const CUSTOM = '/apis/custom.metrics.k8s.io'
const EXTERNAL = '/apis/external.metrics.k8s.io/v1beta1'
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

const FORMS = ['v1beta1', 'v1beta2'].flatMap((version) =>
  [
    'miniclusters.flux-framework.org/flux-sample',
    'services/custom-metrics-apiserver',
    'metrics',
  ].map((object) => `${CUSTOM}/${version}/namespaces/default/${object}`),
)

function userMetric(name: string, value: Metric['value']): Metric {
  return { name, help: 'Made up', unit: 'things', kind: 'gauge', labels: [], value }
}

/** A user metric that counts nodes, and one whose value is unknown. */
const METRICS = [
  userMetric('twice_up', ({ nodes }) => 2 * nodes.up),
  userMetric('hidden_value', () => unknown('Flux does not say')),
]

function catalogWith(metrics: readonly Metric[]): Catalog {
  const catalog = new Catalog()
  catalog.setUserMetrics(metrics)
  return catalog
}

const NAMES = [...BUILTIN_METRICS, ...METRICS].map(({ name }) => name)

/** The values of `key` (`name` by default) in a list. */
function namesIn(list: readonly Readonly<Record<string, string>>[], key = 'name') {
  return list.map((item) => item[key])
}

for (const path of FORMS) {
  test(`${path} answers a user metric`, async (t) => {
    const app = await serveApp(t, { catalog: catalogWith(METRICS) })
    const { code, text } = await app.get(`${path}/twice_up`)
    assert.deepEqual([code, JSON.parse(text).items[0].value], [200, '20'])
  })
}

test('a user metric whose value is unknown is 503 with the reason', async (t) => {
  const app = await serveApp(t, { catalog: catalogWith(METRICS) })
  const { code, text } = await app.get(`${FORMS[0]}/hidden_value`)
  assert.deepEqual(
    [code, JSON.parse(text).message],
    [503, 'Cannot read hidden_value: Flux does not say'],
  )
})

test('a user metric has no labels to select by', async (t) => {
  const app = await serveApp(t, { catalog: catalogWith(METRICS), external: true })
  for (const target of [
    `${FORMS[0]}/twice_up?metricLabelSelector=queue%3Dbatch`,
    `${EXTERNAL}/namespaces/default/twice_up?labelSelector=queue%3Dbatch`,
  ]) {
    const { code, text } = await app.get(target)
    assert.equal(code, 404)
    assert.equal(
      JSON.parse(text).message,
      'the server could not find a series of the metric twice_up with "queue=batch": twice_up has no labels',
    )
  }
})

test('a user metric is an external metric, too', async (t) => {
  const app = await serveApp(t, { catalog: catalogWith(METRICS), external: true })
  const { text } = await app.get(`${EXTERNAL}/namespaces/default/twice_up`)
  assert.deepEqual(JSON.parse(text).items, [
    {
      metricName: 'twice_up',
      metricLabels: { minicluster: 'flux-sample' },
      timestamp: '2026-11-24T01:02:03Z',
      value: '20',
    },
  ])
})

test('an unknown metric is 404 with similar names of user metrics', async (t) => {
  const app = await serveApp(t, { catalog: catalogWith(METRICS) })
  const { code, text } = await app.get(`${FORMS[0]}/twice_ups`)
  assert.equal(code, 404)
  assert.match(JSON.parse(text).message, /did you mean "twice_up"\?$/)
})

test('a cached answer is not used after its metric was changed or removed', async (t) => {
  const catalog = catalogWith(METRICS)
  const app = await serveApp(t, { catalog })
  const ask = async () => {
    const { code, text } = await app.get(`${FORMS[0]}/twice_up`)
    return code === 200 ? JSON.parse(text).items[0].value : code
  }
  const answers = [await ask()]
  catalog.setUserMetrics([userMetric('twice_up', () => 7)])
  answers.push(await ask())
  catalog.setUserMetrics([])
  answers.push(await ask())
  assert.deepEqual(answers, ['20', '7', 404])
})

test('both forms of discovery list user metrics as they are added and removed', async (t) => {
  const catalog = new Catalog()
  const app = await serveApp(t, { catalog, external: true })
  const read = async () => {
    const aggregated = JSON.parse((await app.get('/apis', { Accept: AGGREGATED })).text)
    const [custom, external] = aggregated.items
    return {
      plain: namesIn(JSON.parse((await app.get(`${CUSTOM}/v1beta2`)).text).resources),
      aggregated: namesIn(custom.versions[0].resources[0].subresources, 'subresource'),
      external: namesIn(JSON.parse((await app.get(EXTERNAL)).text).resources),
      aggregatedExternal: namesIn(external.versions[0].resources, 'resource'),
    }
  }
  const before = await read()
  catalog.setUserMetrics(METRICS)
  assert.deepEqual(await read(), {
    plain: ['miniclusters.flux-framework.org', 'services', 'namespaces'].flatMap((resource) =>
      NAMES.map((name) => `${resource}/${name}`),
    ),
    aggregated: NAMES,
    external: NAMES,
    aggregatedExternal: NAMES,
  })
  catalog.setUserMetrics([])
  assert.deepEqual(await read(), before)
})

for (const [path, accept] of [
  ['/apis', AGGREGATED],
  ['/openapi/v2', '*/*'],
  ['/openapi/v3', '*/*'],
  ['/openapi/v3/apis/custom.metrics.k8s.io/v1beta1', '*/*'],
] as const) {
  test(`${path} has another tag when the metrics change, and the first tag when they are restored`, async (t) => {
    const catalog = new Catalog()
    const app = await serveApp(t, { catalog })
    const { headers } = await app.get(path, { Accept: accept })
    const etag = headers.etag ?? ''
    const ask = async () => (await app.get(path, { Accept: accept, 'If-None-Match': etag })).code
    const codes = [await ask()]
    catalog.setUserMetrics(METRICS)
    codes.push(await ask())
    catalog.setUserMetrics([])
    codes.push(await ask())
    assert.deepEqual(codes, [304, 200, 304])
  })
}

test('OpenAPI lists the metrics', async (t) => {
  const app = await serveApp(t, { catalog: catalogWith(METRICS) })
  const parametersOf = async (path: string) => {
    const { paths } = JSON.parse((await app.get(path)).text)
    const items = Object.values<{ parameters: { name: string }[] }>(paths)
    return items.map(({ parameters }) => parameters.find(({ name }) => name === 'metric'))
  }
  const parameter = {
    name: 'metric',
    in: 'path',
    required: true,
    description: 'Name of the metric',
  }
  const v2 = { ...parameter, type: 'string', enum: NAMES }
  assert.deepEqual(await parametersOf('/openapi/v2'), Array(6).fill(v2))
  const v3 = { ...parameter, schema: { type: 'string', enum: NAMES } }
  const document = '/openapi/v3/apis/custom.metrics.k8s.io/v1beta2'
  assert.deepEqual(await parametersOf(document), Array(3).fill(v3))
})

test('/metrics has a gauge for each user metric, as they are added and removed', async (t) => {
  const catalog = new Catalog()
  const app = await serveApp(t, { catalog })
  const linesWith = async (part: string) => {
    const { text } = await app.get('/metrics')
    return text.split('\n').filter((line) => line.includes(part))
  }
  const before = await linesWith('twice_up')
  catalog.setUserMetrics(METRICS)
  const gauge = ['# HELP twice_up Made up', '# TYPE twice_up gauge', 'twice_up 20']
  assert.deepEqual([before, await linesWith('twice_up')], [[], gauge])
  assert.deepEqual(await linesWith('hidden_value'), [
    '# HELP hidden_value Made up',
    '# TYPE hidden_value gauge',
  ])
  catalog.setUserMetrics([userMetric('twice_up', () => 7)])
  assert.deepEqual(await linesWith('twice_up'), [...gauge.slice(0, 2), 'twice_up 7'])
  catalog.setUserMetrics([])
  assert.deepEqual(await linesWith('twice_up'), [])
})

test('/metrics has no samples of user metrics while the reading is stale', async (t) => {
  const app = await serveApp(t, { catalog: catalogWith(METRICS) })
  await app.get('/metrics')
  app.reading = STALE
  assert.doesNotMatch((await app.get('/metrics')).text, /^twice_up /m)
})

test('every built-in name at /metrics is reserved: a user metric cannot have it', async (t) => {
  const app = await serveApp(t)
  const { text } = await app.get('/metrics')
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name)
  assert.ok(names.length > 10)
  const free = names.filter((name) => !RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix)))
  assert.deepEqual(free, [])
})
