// OpenAPI with the description of another server behind our own.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import Koa from 'koa'
import Router from 'koa-router'
import { routeOpenapi } from '#api/documents/openapi.ts'
import { mergeOpenapi, type OpenapiParts } from '#api/documents/openapi-parts.ts'
import { Catalog } from '#metrics/catalog.ts'
import { ask } from '../../support/https.ts'

const V1 = '/apis/custom.metrics.k8s.io/v1beta1'
const EXTERNAL = '/apis/external.metrics.k8s.io/v1beta1'
const THEIRS: OpenapiParts = {
  paths: { [`${V1}/`]: { get: {} } },
  schemas: { X: { type: 'object' } },
}

test('ours are kept, and paths of the same shape are the same', () => {
  const ours = { paths: { '/a/{x}': 1, '/b': 1 }, schemas: { S: 1 } }
  const theirs = { paths: { '/a/{y}': 2, '/a/{y}/c': 2, '/b': 2 }, schemas: { S: 2, T: 2 } }
  assert.deepEqual(mergeOpenapi(ours, theirs), {
    paths: { '/a/{x}': 1, '/b': 1, '/a/{y}/c': 2 },
    schemas: { S: 1, T: 2 },
  })
  assert.equal(mergeOpenapi(ours, undefined), ours)
})

async function serve(t: TestContext) {
  const state = { version: 1, v2: THEIRS as OpenapiParts | undefined, v3: new Map([[V1, THEIRS]]) }
  const router = new Router()
  routeOpenapi(router, {
    catalog: new Catalog(),
    version: '1',
    otherOpenapi: {
      get version() {
        return state.version
      },
      v2: () => state.v2,
      v3: (path) => state.v3.get(path),
    },
  })
  const server = createServer(new Koa().use(router.routes()).callback())
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { state, get: (path: string) => ask(port, path, { plain: true }) }
}

test('both forms have what the other server describes, and the index has the hash of it', async (t) => {
  const { state, get } = await serve(t)
  const v2 = JSON.parse((await get('/openapi/v2')).text)
  const v3 = JSON.parse((await get(`/openapi/v3${V1}`)).text)
  for (const [paths, schemas] of [
    [v2.paths, v2.definitions],
    [v3.paths, v3.components.schemas],
  ]) {
    assert.deepEqual([paths[`${V1}/`], schemas.X], [{ get: {} }, { type: 'object' }])
    assert.ok(Object.keys(paths).length > 3)
  }
  const index = async () => JSON.parse((await get('/openapi/v3')).text).paths
  const before = await index()
  assert.equal((await get(`/openapi/v3${EXTERNAL}`)).status, 404)
  state.v3.clear()
  state.v3.set(EXTERNAL, THEIRS)
  state.version += 1
  const after = await index()
  assert.notDeepEqual(after[V1.slice(1)], before[V1.slice(1)])
  assert.deepEqual(Object.keys(after).length, Object.keys(before).length + 1)
  const external = JSON.parse((await get(`/openapi/v3${EXTERNAL}`)).text)
  assert.deepEqual([external.paths, external.components.schemas], [THEIRS.paths, THEIRS.schemas])
})
