// What the gateway answers itself of a MiniCluster's pods: the metric on every path, and the lines in an explanation.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idsBetween } from '#flux/sets/idset.ts'
import { unavailable } from '#serving/status.ts'
import type { Shortage } from '../../../../webhook/gateway/shortage/shortage.ts'
import type { ShortageSource } from '../../../../webhook/gateway/shortage/shortages.ts'
import { READ_AT, serveRoutes } from './served.ts'

const CUSTOM = '/apis/custom.metrics.k8s.io'
const V2 = `${CUSTOM}/v1beta2/namespaces`
const MINICLUSTERS = 'miniclusters.flux-framework.org'
const EXTERNAL = '/apis/external.metrics.k8s.io/v1beta1/namespaces'
const METRIC = 'node_unavailable_count'
const EXPLAIN = `${V2}/a/${MINICLUSTERS}/one/explain`

const SHORT: Shortage = {
  readAt: READ_AT,
  size: 10,
  unavailable: 4,
  groups: [
    {
      kind: 'unscheduled',
      ranks: idsBetween(6, 10),
      since: READ_AT - 240_000,
      causes: ['Insufficient cpu', 'NodePool default: the limits are reached (karpenter)'],
    },
  ],
}
const SENTENCE =
  'ranks 6-9 are not there: their pods are Pending for 4 min: Insufficient cpu; NodePool default: the limits are reached (karpenter)'

const shortages: ShortageSource = { of: async () => SHORT }
const PODS_UNKNOWN = 'The pods of MiniCluster a/one are not known: why'
const UNKNOWN: ShortageSource = {
  of: async () => {
    throw unavailable(PODS_UNKNOWN)
  },
}

test('the metric is answered by the gateway, as a sidecar would write it', async (t) => {
  const { get, questions } = await serveRoutes(t, { miniclusters: ['a/one'], shortages })
  const timestamp = '2026-11-29T06:00:00Z'
  const minicluster = {
    kind: 'MiniCluster',
    namespace: 'a',
    name: 'one',
    apiVersion: 'flux-framework.org/v1alpha2',
  }
  const service = {
    kind: 'Service',
    namespace: 'a',
    name: 'custom-metrics-apiserver',
    apiVersion: 'v1',
  }
  for (const [path, describedObject] of [
    [`${MINICLUSTERS}/one`, minicluster],
    [`${MINICLUSTERS}/*`, minicluster],
    ['services/custom-metrics-apiserver', service],
    ['metrics', { kind: 'Namespace', name: 'a', apiVersion: 'v1' }],
  ] as const) {
    const { code, text } = await get(`${V2}/a/${path}/${METRIC}`)
    assert.equal(code, 200, text)
    assert.deepEqual(JSON.parse(text).items, [
      { describedObject, metric: { name: METRIC }, timestamp, value: '4' },
    ])
  }
  const two = await serveRoutes(t, { miniclusters: ['a/one', 'a/two'], shortages })
  const { text: each } = await two.get(`${V2}/a/metrics/${METRIC}`)
  const names = JSON.parse(each).items.map(
    (one: { describedObject: object }) => one.describedObject,
  )
  assert.deepEqual(names, [minicluster, { ...minicluster, name: 'two' }])
  const older = await get(`${CUSTOM}/v1beta1/namespaces/a/${MINICLUSTERS}/one/${METRIC}`)
  assert.deepEqual(JSON.parse(older.text).items, [
    { describedObject: minicluster, metricName: METRIC, timestamp, value: '4' },
  ])
  assert.deepEqual(questions, [])
})

test('as an external metric it is one item for each MiniCluster, which an HPA may add up', async (t) => {
  const { get } = await serveRoutes(t, { miniclusters: ['a/one', 'a/two'], shortages })
  const { code, text } = await get(`${EXTERNAL}/a/${METRIC}`)
  assert.equal(code, 200, text)
  const item = (minicluster: string) => ({
    ...{ metricName: METRIC, metricLabels: { minicluster } },
    ...{ timestamp: '2026-11-29T06:00:00Z', value: '4' },
  })
  assert.deepEqual(JSON.parse(text).items, [item('one'), item('two')])
  const one = await get(`${EXTERNAL}/a/${METRIC}?labelSelector=minicluster%3Dtwo`)
  assert.deepEqual(JSON.parse(one.text).items, [item('two')])
})

test('a selector of labels that the metric has not is 404, one that every series has not is answered', async (t) => {
  const { get } = await serveRoutes(t, { miniclusters: ['a/one'], shortages })
  const path = `${V2}/a/${MINICLUSTERS}/one/${METRIC}?metricLabelSelector=`
  const { code, text } = await get(`${path}queue%3Da`)
  assert.equal(code, 404)
  assert.match(JSON.parse(text).message, /node_unavailable_count has no labels/)
  assert.equal((await get(`${path}!queue`)).code, 200)
  const external = `${EXTERNAL}/a/${METRIC}?labelSelector=minicluster%3Done,queue%3Da`
  assert.equal((await get(external)).code, 404)
})

test('pods that are not known are 503 with the reason, and a MiniCluster without sidecar is explained', async (t) => {
  const { get } = await serveRoutes(t, { miniclusters: ['a/one'], shortages: UNKNOWN })
  for (const path of [`${V2}/a/${MINICLUSTERS}/one/${METRIC}`, `${EXTERNAL}/a/${METRIC}`]) {
    const { code, text } = await get(path)
    assert.equal(code, 503)
    assert.equal(JSON.parse(text).message, 'The pods of MiniCluster a/one are not known: why')
  }
  assert.equal((await get(`${V2}/a/${MINICLUSTERS}/gone/${METRIC}`)).code, 404)
})

test('an explanation in JSON has the pods, as sentences and as data', async (t) => {
  const held = { kind: 'warning', code: 'jobs-held', text: 'a' }
  const explanation = {
    ...{ summary: 'desired 10', warnings: ['a'], unknowns: ['b'] },
    notices: [held],
  }
  const body = JSON.stringify(explanation)
  const answer = async () => ({ contentType: 'application/json', body }) as const
  const known = await serveRoutes(t, { miniclusters: ['a/one'], answer, shortages })
  const { code, text } = await known.get(EXPLAIN)
  assert.equal(code, 200)
  assert.deepEqual(JSON.parse(text), {
    ...explanation,
    warnings: ['a', SENTENCE],
    notices: [held, { kind: 'warning', code: 'pods-unscheduled', text: SENTENCE }],
    pods: {
      readAt: '2026-11-29T06:00:00.000Z',
      size: 10,
      unavailable: 4,
      short: [
        {
          kind: 'unscheduled',
          ranks: '6-9',
          since: '2026-11-29T05:56:00.000Z',
          causes: SHORT.groups[0]?.causes,
        },
      ],
    },
  })
  const unknown = await serveRoutes(t, { miniclusters: ['a/one'], answer, shortages: UNKNOWN })
  assert.deepEqual(JSON.parse((await unknown.get(EXPLAIN)).text), {
    ...explanation,
    unknowns: ['b', PODS_UNKNOWN],
    notices: [held, { kind: 'unknown', code: 'pods-unknown', text: PODS_UNKNOWN }],
    pods: null,
  })
})

test('an explanation in text has the pods before its last row', async (t) => {
  const answer = async () =>
    ({
      contentType: 'text/plain; charset=utf-8',
      body: 'desired 10\nwarning  a\nread     3 s ago\n',
    }) as const
  const { get } = await serveRoutes(t, { miniclusters: ['a/one'], answer, shortages })
  const { text } = await get(`${EXPLAIN}?format=text`)
  assert.equal(
    text,
    [
      'desired 10',
      'warning  a',
      'warning  ranks 6-9 are not there: their pods are Pending for 4 min: Insufficient',
      '         cpu; NodePool default: the limits are reached (karpenter)',
      'read     3 s ago',
      '',
    ].join('\n'),
  )
})

test('a sidecar that cannot be asked is explained with its pods: its own may be the one without a node', async (t) => {
  const answer = async () => {
    throw unavailable('MiniCluster a/one: its pod one-0-x is on no node: Unschedulable')
  }
  const { get } = await serveRoutes(t, { miniclusters: ['a/one'], answer, shortages })
  const { code, text } = await get(EXPLAIN)
  assert.equal(code, 503)
  assert.equal(
    JSON.parse(text).message,
    `MiniCluster a/one: its pod one-0-x is on no node: Unschedulable; ${SENTENCE}`,
  )
})

test('an explanation that cannot be read, or not be written again, is an error of the sidecar and not of ours', async (t) => {
  for (const [body, why] of [
    ['<html>', /it is no JSON object$/],
    ['null', /it is no JSON object$/],
    [`{"a":${'['.repeat(60_000)}${']'.repeat(60_000)}}`, /more than 100 values inside each other$/],
    [`{"a":[${'{},'.repeat(60_000)}0]}`, /more than 50000 keys and values$/],
  ] as const) {
    const { get } = await serveRoutes(t, {
      miniclusters: ['a/one'],
      shortages,
      answer: async () => ({ contentType: 'application/json', body }),
    })
    const { code, text } = await get(EXPLAIN)
    assert.equal(code, 503)
    assert.match(JSON.parse(text).message, why)
  }
})

test('the metric that no sidecar has gets its value in an explanation with metrics', async (t) => {
  const listed = { name: METRIC, unit: 'nodes', value: null, reason: 'the sidecar sees no pods' }
  const other = { ...listed, name: 'node_up_count' }
  const body = JSON.stringify({ warnings: [], metrics: [listed, other, 'odd'] })
  const answer = async () => ({ contentType: 'application/json', body }) as const
  const { get } = await serveRoutes(t, { miniclusters: ['a/one'], answer, shortages })
  const { metrics } = JSON.parse((await get(`${EXPLAIN}?include=metrics`)).text)
  assert.deepEqual(metrics, [{ ...listed, value: 4, reason: null }, other, 'odd'])
})
