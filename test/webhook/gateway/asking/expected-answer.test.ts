import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contradiction, longestAnswer } from '../../../../webhook/gateway/asking/expected-answer.ts'
import { bodyFor, NAME, pathOf } from './fleet.ts'

const GROUP = '/apis/custom.metrics.k8s.io/v1beta1/namespaces/team-a'

const ITEM = { describedObject: { kind: 'Service', namespace: 'team-a', name: 's' }, value: '1' }

function list(item: object, kind = 'MetricValueList'): string {
  return JSON.stringify({ kind, items: [item] })
}

/** The same list with its item twice. */
function twice(body: string): string {
  const { items, ...list } = JSON.parse(body)
  return JSON.stringify({ ...list, items: [...items, ...items] })
}

test('an answer about what was asked is none', () => {
  assert.equal(contradiction(NAME, pathOf(NAME), bodyFor(NAME)), undefined)
  assert.equal(contradiction(NAME, `${pathOf(NAME)}?labelSelector=a%3Db`, bodyFor(NAME)), undefined)
  const service = list({ ...ITEM, metricName: 'nodes' })
  assert.equal(contradiction(NAME, `${GROUP}/services/s/nodes`, service), undefined)
  const namespace = { kind: 'Namespace', name: 'team-a' }
  const ofNamespace = list({ describedObject: namespace, metricName: 'explain', value: '1k' })
  assert.equal(contradiction(NAME, `${GROUP}/metrics/explain`, ofNamespace), undefined)
})

test('explanations and gauges are not compared', () => {
  assert.equal(contradiction(NAME, pathOf(NAME, 'explain'), 'text'), undefined)
  assert.equal(contradiction(NAME, '/metrics', '# HELP'), undefined)
  assert.equal(contradiction(NAME, '/explain?format=text', 'text'), undefined)
  assert.equal(longestAnswer(NAME, '/explain'), 512 * 1024)
  assert.equal(longestAnswer(NAME, pathOf(NAME)), 64 * 1024)
})

test('an answer about anything else is one', () => {
  const path = pathOf(NAME)
  const other = { ...NAME, minicluster: 'other' }
  const foreign = { ...NAME, namespace: 'team-b' }
  for (const [body, what] of [
    ['<html>', 'no JSON'],
    [bodyFor(NAME).replace('"4"', '['.repeat(60_000)), 'more than 100 values inside each other'],
    [bodyFor(NAME).replace('"4"', `[${'{},'.repeat(10_000)}0]`), 'more than 20000 keys and values'],
    ['null', 'no MetricValueList'],
    ['{"kind":"Status","items":[]}', 'no MetricValueList'],
    ['{"kind":"MetricValueList"}', 'no MetricValueList'],
    ['{"kind":"MetricValueList","items":[]}', 'an empty list'],
    [twice(bodyFor(NAME)), '2 items'],
    [bodyFor(other), 'name "other" instead of "flux-sample"'],
    [bodyFor(foreign), 'namespace "team-b" instead of "team-a"'],
    [list({}), 'metric nothing instead of "nodes"'],
    [list({ metric: { name: 'nodes' } }), 'kind nothing instead of "MiniCluster"'],
    [bodyFor(NAME).replace('"4"', 'null'), 'the value null'],
    [bodyFor(NAME).replace('"4"', '4'), 'the value 4'],
    [bodyFor(NAME, 'NaN'), 'the value "NaN"'],
    [bodyFor(NAME).replace('"nodes"', '"cores"'), 'metric "cores" instead of "nodes"'],
  ] as const) {
    assert.equal(contradiction(NAME, path, body), what)
  }
})

test('an external metric is of the MiniCluster that was asked', () => {
  const path =
    '/apis/external.metrics.k8s.io/v1beta1/namespaces/team-a/nodes?labelSelector=queue%3Dall'
  const body = (minicluster: string) =>
    list(
      { metricName: 'nodes', metricLabels: { minicluster, queue: 'all' }, value: '1500m' },
      'ExternalMetricValueList',
    )
  assert.equal(contradiction(NAME, path, body('flux-sample')), undefined)
  const empty = '{"kind":"ExternalMetricValueList","items":[]}'
  assert.equal(contradiction(NAME, path, empty), 'an empty list')
  assert.equal(
    contradiction(NAME, path, body('other')),
    'minicluster "other" instead of "flux-sample"',
  )
})
