import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { translateMetricValues } from '../../../../webhook/gateway/upstream/metric-values.ts'
import { CUSTOM, startAdapter, startGateway } from './adapters.ts'

const OBJECT = { kind: 'Pod', namespace: 'a', name: 'web-1', apiVersion: '/v1' }
const SELECTOR = { matchLabels: { code: '500' } }
const COMMON = { describedObject: OBJECT, timestamp: '2026-11-24T01:02:03Z', value: '1500m' }

const OLD = {
  kind: 'MetricValueList',
  apiVersion: `${CUSTOM}/v1beta1`,
  metadata: { continue: 'x' },
  items: [
    { ...COMMON, metricName: 'errors', window: 60, selector: SELECTOR },
    { ...COMMON, metricName: 'errors', selector: null },
    { ...COMMON, value: '18446744073709551616', metricName: 'errors', window: 0 },
  ],
}

const NEW = {
  kind: 'MetricValueList',
  apiVersion: `${CUSTOM}/v1beta2`,
  metadata: { continue: 'x' },
  items: [
    { ...COMMON, metric: { name: 'errors', selector: SELECTOR }, windowSeconds: 60 },
    { ...COMMON, metric: { name: 'errors', selector: null } },
    {
      ...COMMON,
      value: '18446744073709551616',
      metric: { name: 'errors' },
      windowSeconds: 0,
    },
  ],
}

test('a list of v1beta1 is translated to v1beta2, and back', () => {
  const translated = translateMetricValues(JSON.stringify(OLD), 'v1beta1')
  assert.deepEqual(JSON.parse(translated), NEW)
  assert.deepEqual(JSON.parse(translateMetricValues(translated, 'v1beta2')), OLD)
})

const recorded = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../../recordings/kubernetes/adapter', name), 'utf8')

// Answers of the test adapter of custom-metrics-apiserver 1.37.
for (const [from, to] of [
  ['v1beta1', 'v1beta2'],
  ['v1beta2', 'v1beta1'],
] as const) {
  test(`an answer of a real adapter in ${from} is translated to the one that it gives in ${to}`, () => {
    const translated = translateMetricValues(recorded(`${from}.json`), from)
    assert.deepEqual(JSON.parse(translated), JSON.parse(recorded(`${to}.json`)))
  })
}

for (const [what, list] of [
  ['another version', { ...OLD, apiVersion: `${CUSTOM}/v1beta2` }],
  ['another group', { ...OLD, apiVersion: 'external.metrics.k8s.io/v1beta1' }],
  ['another kind', { ...OLD, kind: 'Status' }],
  ['no items', { ...OLD, items: null }],
  ['an item that is none', { ...OLD, items: [null] }],
  ['a metric without a name', { ...OLD, items: [COMMON] }],
  ['a value that is a number', { ...OLD, items: [{ ...COMMON, metricName: 'm', value: 4 }] }],
  ['no value', { ...OLD, items: [{ metricName: 'm', describedObject: OBJECT }] }],
  ['no object', []],
] as const) {
  test(`a list with ${what} is not translated`, () => {
    const translate = () => translateMetricValues(JSON.stringify(list), 'v1beta1')
    assert.throws(translate, /^Error: its answer cannot be translated: expected /)
  })
}

test('what is not JSON is not translated', () => {
  assert.throws(() => translateMetricValues('{', 'v1beta1'), /its answer is not JSON/)
})

const listIn = (served: string) => (version: string) =>
  version === served ? JSON.stringify({ kind: 'APIResourceList', resources: [] }) : undefined

for (const [served, asked, theirs, ours] of [
  ['v1beta1', 'v1beta2', OLD, NEW],
  ['v1beta2', 'v1beta1', NEW, undefined],
] as const) {
  test(`an adapter that serves only ${served} answers ${asked}`, async (t) => {
    const server = await startAdapter(t, {
      discovery: listIn(served),
      handler: (_request, response) =>
        response.setHeader('Content-Type', 'application/json').end(JSON.stringify(theirs)),
    })
    const gateway = await startGateway(t, server)
    const rest = 'namespaces/a/pods/%2A/errors?labelSelector=app%3Dv1beta2'
    const { status, headers, text } = await gateway.get(`/apis/${CUSTOM}/${asked}/${rest}`, {
      Accept: 'application/vnd.kubernetes.protobuf, */*',
      'Accept-Encoding': 'gzip',
    })
    assert.deepEqual([status, headers['content-type']], [200, 'application/json'])
    const list = JSON.parse(text)
    assert.equal(list.apiVersion, `${CUSTOM}/${asked}`)
    if (ours !== undefined) assert.deepEqual(list, ours)
    assert.equal(server.received[0]?.url, `/apis/${CUSTOM}/${served}/${rest}`)
    const names = server.received[0]?.rawHeaders.map((name) => name.toLowerCase()) ?? []
    assert.ok(names.includes('application/json') && !names.includes('accept-encoding'))
    const plain = await gateway.get(`/apis/${CUSTOM}/${served}/${rest}`)
    assert.equal(plain.text, JSON.stringify(theirs))
  })
}

test('an error of an adapter with another version is passed back as it is', async (t) => {
  const status = JSON.stringify({ kind: 'Status', apiVersion: 'v1', code: 404, message: 'no m' })
  const server = await startAdapter(t, {
    discovery: listIn('v1beta1'),
    handler: (_request, response) =>
      response.writeHead(404, { 'Content-Type': 'application/json' }).end(status),
  })
  const gateway = await startGateway(t, server)
  const answer = await gateway.get(`/apis/${CUSTOM}/v1beta2/namespaces/a/metrics/m`)
  assert.deepEqual([answer.status, answer.text], [404, status])
})

for (const [what, body, reason] of [
  [
    'no list',
    '{"kind":"Status"}',
    /expected a MetricValueList of custom\.metrics\.k8s\.io\/v1beta1/,
  ],
  ['no JSON', '<', /its answer is not JSON/],
  ['too long', ' '.repeat(5 * 1024 * 1024), /its answer has more than 4 MiB/],
] as const) {
  test(`an answer that must be translated and is ${what} is 503`, async (t) => {
    const server = await startAdapter(t, {
      discovery: listIn('v1beta1'),
      handler: (_request, response) =>
        response.setHeader('Content-Type', 'application/json').end(body),
    })
    const gateway = await startGateway(t, server)
    const { status, text } = await gateway.get(`/apis/${CUSTOM}/v1beta2/namespaces/a/metrics/m`)
    assert.equal(status, 503)
    assert.match(JSON.parse(text).message, reason)
  })
}

test('long answers are translated one after the other, and all of them', async (t) => {
  const items = Array.from({ length: 2_000 }, () => OLD.items[0])
  const text = JSON.stringify({ ...OLD, items })
  assert.ok(text.length > 256 * 1024)
  const server = await startAdapter(t, {
    discovery: listIn('v1beta1'),
    handler: (_request, response) =>
      response.setHeader('Content-Type', 'application/json').end(text),
  })
  const gateway = await startGateway(t, server)
  const path = `/apis/${CUSTOM}/v1beta2/namespaces/a/pods/%2A/errors`
  const answers = await Promise.all(Array.from({ length: 8 }, () => gateway.get(path)))
  const expected = JSON.stringify(NEW.items[0])
  for (const answer of answers) {
    const list = JSON.parse(answer.text)
    assert.equal(list.items.length, 2_000)
    assert.equal(JSON.stringify(list.items.at(-1)), expected)
  }
})
