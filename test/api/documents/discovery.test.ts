import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILTIN_METRICS } from '#metrics/catalog.ts'
import { STALE, serveApp } from '../../support/app.ts'

const GROUP = 'custom.metrics.k8s.io'
const PLAIN_TYPE = 'application/json'
const V2_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const V2BETA1_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList'

/** The header that the aggregator of Kubernetes 1.32 to 1.36 sends. */
const AGGREGATOR_ACCEPT = `${V2_TYPE},${V2BETA1_TYPE}`

const API_GROUP = {
  name: GROUP,
  versions: [
    { groupVersion: `${GROUP}/v1beta2`, version: 'v1beta2' },
    { groupVersion: `${GROUP}/v1beta1`, version: 'v1beta1' },
  ],
  preferredVersion: { groupVersion: `${GROUP}/v1beta2`, version: 'v1beta2' },
}

const RESOURCES = [
  ['miniclusters.flux-framework.org', true],
  ['services', true],
  ['namespaces', false],
] as const

test('/apis lists our group', async (t) => {
  const app = await serveApp(t)
  const { code, headers, text } = await app.get('/apis')
  assert.deepEqual([code, headers['content-type'], headers.vary], [200, PLAIN_TYPE, 'Accept'])
  const expected = { kind: 'APIGroupList', apiVersion: 'v1', groups: [API_GROUP] }
  assert.deepEqual(JSON.parse(text), expected)
})

test('the group lists its versions, v1beta2 first', async (t) => {
  const app = await serveApp(t)
  const { code, text } = await app.get(`/apis/${GROUP}`)
  assert.equal(code, 200)
  assert.deepEqual(JSON.parse(text), { kind: 'APIGroup', apiVersion: 'v1', ...API_GROUP })
})

for (const version of ['v1beta1', 'v1beta2']) {
  test(`${version} lists exactly the catalog, for each kind of object`, async (t) => {
    const app = await serveApp(t)
    const { code, headers, text } = await app.get(`/apis/${GROUP}/${version}`)
    assert.deepEqual([code, headers['content-type']], [200, PLAIN_TYPE])
    assert.deepEqual(JSON.parse(text), {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: `${GROUP}/${version}`,
      resources: RESOURCES.flatMap(([resource, namespaced]) =>
        BUILTIN_METRICS.map(({ name }) => ({
          name: `${resource}/${name}`,
          singularName: '',
          namespaced,
          kind: 'MetricValueList',
          verbs: ['get'],
        })),
      ),
    })
  })

  test(`${version} answers 200 with and without a tag in the request`, async (t) => {
    const app = await serveApp(t)
    const { code } = await app.get(`/apis/${GROUP}/${version}`, { 'If-None-Match': '*' })
    assert.equal(code, 200)
  })
}

for (const [accept, contentType, apiVersion] of [
  [AGGREGATOR_ACCEPT, V2_TYPE, 'apidiscovery.k8s.io/v2'],
  [V2BETA1_TYPE, V2BETA1_TYPE, 'apidiscovery.k8s.io/v2beta1'],
] as const) {
  test(`/apis answers ${accept} with ${apiVersion}`, async (t) => {
    const app = await serveApp(t)
    const { code, headers, text } = await app.get('/apis', { Accept: accept })
    assert.deepEqual([code, headers['content-type']], [200, contentType])
    assert.deepEqual(JSON.parse(text), {
      kind: 'APIGroupDiscoveryList',
      apiVersion,
      metadata: {},
      items: [
        {
          metadata: { name: GROUP, creationTimestamp: null },
          versions: ['v1beta2', 'v1beta1'].map((version) => ({
            version,
            freshness: 'Current',
            resources: RESOURCES.map(([resource, namespaced]) => ({
              resource,
              responseKind: { group: '', version: '', kind: '' },
              scope: namespaced ? 'Namespaced' : 'Cluster',
              singularResource: '',
              verbs: [],
              subresources: BUILTIN_METRICS.map(({ name }) => ({
                subresource: name,
                responseKind: { group: GROUP, version, kind: 'MetricValueList' },
                verbs: ['get'],
              })),
            })),
          })),
        },
      ],
    })
  })
}

for (const [accept, contentType] of [
  [`${V2_TYPE},application/json`, V2_TYPE],
  ['application/json; g=apidiscovery.k8s.io; v=v2; as=APIGroupDiscoveryList', V2_TYPE],
  [`application/json;v=v3;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList,${V2_TYPE}`, V2_TYPE],
  [`application/vnd.kubernetes.protobuf,${V2BETA1_TYPE}`, V2BETA1_TYPE],
  [`application/json,${V2_TYPE}`, PLAIN_TYPE],
  ['application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList', PLAIN_TYPE],
  ['application/vnd.kubernetes.protobuf, */*', PLAIN_TYPE],
  ['application/json, */*', PLAIN_TYPE],
  ['text/html', PLAIN_TYPE],
  ['', PLAIN_TYPE],
] as const) {
  test(`/apis answers "${accept}" with ${contentType}`, async (t) => {
    const app = await serveApp(t)
    const { code, headers } = await app.get('/apis', { Accept: accept })
    assert.deepEqual([code, headers['content-type']], [200, contentType])
  })
}

test('/apis has a tag for each form', async (t) => {
  const app = await serveApp(t)
  const tags = new Set<string | undefined>()
  for (const accept of ['*/*', V2_TYPE, V2BETA1_TYPE]) {
    const { headers } = await app.get('/apis', { Accept: accept })
    assert.match(headers.etag ?? '', /^"[0-9A-F]{64}"$/)
    tags.add(headers.etag)
  }
  assert.equal(tags.size, 3)
})

test('/apis has the same tag on every start', async (t) => {
  const [one, other] = [await serveApp(t), await serveApp(t)]
  const accept = { Accept: AGGREGATOR_ACCEPT }
  assert.equal(
    (await one.get('/apis', accept)).headers.etag,
    (await other.get('/apis', accept)).headers.etag,
  )
})

test('/apis answers 304 without a body if the client has the document', async (t) => {
  const app = await serveApp(t)
  const { headers } = await app.get('/apis', { Accept: AGGREGATOR_ACCEPT })
  const etag = headers.etag ?? ''
  for (const known of [etag, `W/${etag}`, `"old", ${etag}`, '*']) {
    const again = await app.get('/apis', { Accept: AGGREGATOR_ACCEPT, 'If-None-Match': known })
    assert.deepEqual([again.code, again.text, again.headers.etag], [304, '', etag])
    assert.equal(again.headers.location, undefined)
  }
})

test('/apis answers 200 if the client has another document', async (t) => {
  const app = await serveApp(t)
  const { headers } = await app.get('/apis', { Accept: V2BETA1_TYPE })
  const again = await app.get('/apis', {
    Accept: AGGREGATOR_ACCEPT,
    'If-None-Match': headers.etag ?? '',
  })
  assert.equal(again.code, 200)
})

test('discovery needs no broker', async (t) => {
  const app = await serveApp(t)
  const paths = ['/apis', `/apis/${GROUP}`, `/apis/${GROUP}/v1beta1`, `/apis/${GROUP}/v1beta2`]
  const before = await Promise.all(paths.map((path) => app.get(path)))
  app.reading = STALE
  const after = await Promise.all(paths.map((path) => app.get(path)))
  assert.deepEqual(
    after.map(({ code, text }) => ({ code, text })),
    before.map(({ text }) => ({ code: 200, text })),
  )
})

for (const path of [
  '/apis/',
  `/apis/${GROUP}/`,
  `/apis/${GROUP}/v1beta2/`,
  '/apis/apps',
  '/api',
  '/',
]) {
  test(`${path} is 404`, async (t) => {
    const app = await serveApp(t)
    const { code, text } = await app.get(path)
    assert.deepEqual([code, JSON.parse(text).kind], [404, 'Status'])
  })
}
