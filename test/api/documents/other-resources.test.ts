// Discovery with the resources of another server behind our own.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import Koa from 'koa'
import Router from 'koa-router'
import { routeDiscovery } from '#api/documents/discovery.ts'
import type { ApiResource } from '#api/documents/resources.ts'
import { BUILTIN_METRICS, Catalog } from '#metrics/catalog.ts'
import { ask } from '../../support/https.ts'

const CUSTOM = '/apis/custom.metrics.k8s.io/v1beta1'
const EXTERNAL = '/apis/external.metrics.k8s.io/v1beta1'
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const [FIRST] = BUILTIN_METRICS

const THEIRS: ApiResource[] = [
  { name: 'pods/http_requests', namespaced: true, kind: 'MetricValueList' },
  { name: `services/${FIRST?.name}`, namespaced: true, kind: 'Theirs' },
  { name: 'services/latency', namespaced: true, kind: 'MetricValueList' },
  { name: 'services/latency', namespaced: true, kind: 'Twice' },
]

interface Listed {
  readonly name: string
  readonly kind: string
}

async function serve(t: TestContext, others: Map<string, readonly ApiResource[]>) {
  const state = {
    version: 1,
    resourcesOf: (groupVersion: string) => others.get(groupVersion) ?? [],
  }
  const router = new Router()
  routeDiscovery(router, { catalog: new Catalog(), external: true, others: state })
  const server = createServer(new Koa().use(router.routes()).callback())
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    state,
    get: (path: string, Accept = 'application/json') =>
      ask(port, path, { plain: true, headers: { Accept } }),
    async list(path: string): Promise<Listed[]> {
      return JSON.parse((await ask(port, path, { plain: true })).text).resources
    },
  }
}

test('the resources of another server are behind ours, each name once', async (t) => {
  const served = await serve(t, new Map([['custom.metrics.k8s.io/v1beta1', THEIRS]]))
  const listed = await served.list(CUSTOM)
  const ours = listed.slice(0, 3 * BUILTIN_METRICS.length)
  assert.ok(ours.every(({ kind }) => kind === 'MetricValueList'))
  assert.equal(new Set(ours.map(({ name }) => name)).size, ours.length)
  const theirs = listed.slice(ours.length)
  const expected = ['pods/http_requests', 'services/latency'].map((name) => ({
    name,
    singularName: '',
    namespaced: true,
    kind: 'MetricValueList',
    verbs: ['get'],
  }))
  assert.deepEqual(theirs, expected)
})

test('the aggregated form has them under one parent with ours', async (t) => {
  const served = await serve(
    t,
    new Map([
      ['custom.metrics.k8s.io/v1beta1', THEIRS],
      ['external.metrics.k8s.io/v1beta1', [{ name: 'queue_length', namespaced: true, kind: 'E' }]],
    ]),
  )
  const { items } = JSON.parse((await served.get('/apis', AGGREGATED)).text)
  const [custom, external] = items
  const { resources } = custom.versions[1]
  assert.deepEqual(
    resources.map(({ resource }: { resource: string }) => resource),
    ['miniclusters.flux-framework.org', 'services', 'namespaces', 'pods'],
  )
  assert.equal(resources[1].subresources.at(-1).subresource, 'latency')
  assert.equal(resources[1].subresources.length, BUILTIN_METRICS.length + 1)
  assert.deepEqual(resources[3], {
    resource: 'pods',
    responseKind: { group: '', version: '', kind: '' },
    scope: 'Namespaced',
    singularResource: '',
    verbs: [],
    subresources: [
      {
        subresource: 'http_requests',
        responseKind: {
          group: 'custom.metrics.k8s.io',
          version: 'v1beta1',
          kind: 'MetricValueList',
        },
        verbs: ['get'],
      },
    ],
  })
  assert.equal(external.versions[0].resources.at(-1).resource, 'queue_length')
})

test('the documents and their tags follow what the other server has', async (t) => {
  const others = new Map<string, readonly ApiResource[]>()
  const served = await serve(t, others)
  const before = await served.get('/apis', AGGREGATED)
  const ours = await served.list(EXTERNAL)
  others.set('external.metrics.k8s.io/v1beta1', [{ name: 'mine', namespaced: true, kind: 'E' }])
  assert.equal((await served.get('/apis', AGGREGATED)).headers.etag, before.headers.etag)
  served.state.version += 1
  const after = await served.get('/apis', AGGREGATED)
  assert.notEqual(after.headers.etag, before.headers.etag)
  assert.deepEqual((await served.list(EXTERNAL)).length, ours.length + 1)
  others.clear()
  served.state.version += 1
  assert.equal((await served.get('/apis', AGGREGATED)).headers.etag, before.headers.etag)
})
