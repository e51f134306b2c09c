import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CUSTOM, eventually, startAdapter, startGateway } from './adapters.ts'

const WITHIN = { timeout: 20_000 }
const V1 = `/apis/${CUSTOM}/v1beta1`
const PATHS = {
  '/apis/': { get: {} },
  [`${V1}/`]: { get: {} },
  [`${V1}/namespaces/{namespace}/{resource}/{name}/{subresource}`]: { get: { operationId: 'x' } },
  '/version/': { get: {} },
}
const OF_GROUP = Object.fromEntries(Object.entries(PATHS).filter(([path]) => path.includes(CUSTOM)))
const SCHEMAS = { 'io.k8s.x': { type: 'object' } }
const V2_TEXT = JSON.stringify({ swagger: '2.0', paths: PATHS, definitions: SCHEMAS })
const V3_TEXT = JSON.stringify({ openapi: '3.0.0', paths: PATHS, components: { schemas: SCHEMAS } })

test('the paths of the group and their schemas are read, in both forms', WITHIN, async (t) => {
  const openapi = new Map([
    ['/openapi/v2', V2_TEXT],
    [`/openapi/v3${V1}`, V3_TEXT],
  ])
  const { adapter } = await startGateway(t, await startAdapter(t, { openapi }))
  for (const parts of [adapter.openapi.v2(), adapter.openapi.v3(V1)]) {
    assert.deepEqual([parts?.paths, parts?.schemas], [OF_GROUP, SCHEMAS])
  }
  assert.equal(adapter.openapi.v3(`/apis/${CUSTOM}/v1beta2`), undefined)
  assert.equal(adapter.openapi.version, 2)
})

for (const [what, text] of [
  ['no JSON', '<html>'],
  ['too long', ' '.repeat(2 * 1024 * 1024)],
] as const) {
  test(`a document that is ${what} is left out, and read again`, WITHIN, async (t) => {
    const openapi = new Map([['/openapi/v2', text]])
    const server = await startAdapter(t, { openapi })
    const { adapter } = await startGateway(t, { ...server, pollMs: 20 })
    assert.equal(adapter.openapi.v2(), undefined)
    assert.equal(adapter.problem, undefined)
    openapi.set('/openapi/v2', V2_TEXT)
    await eventually(() => assert.deepEqual(adapter.openapi.v2()?.paths, OF_GROUP))
  })
}

test('what is no object has no paths', WITHIN, async (t) => {
  const openapi = new Map([['/openapi/v2', '{"paths":[],"definitions":null}']])
  const { adapter } = await startGateway(t, await startAdapter(t, { openapi }))
  assert.deepEqual([adapter.openapi.v2()?.paths, adapter.openapi.v2()?.schemas], [{}, {}])
})

test('a document that changes, or goes, is followed', WITHIN, async (t) => {
  const openapi = new Map([['/openapi/v2', V2_TEXT]])
  const server = await startAdapter(t, { openapi })
  const { adapter } = await startGateway(t, { ...server, pollMs: 20 })
  const before = adapter.openapi.version
  openapi.set('/openapi/v2', V2_TEXT.replace('"x"', '"y"'))
  await eventually(() => assert.equal(adapter.openapi.version, before + 1))
  openapi.delete('/openapi/v2')
  await eventually(() => assert.equal(adapter.openapi.v2(), undefined))
  assert.equal(adapter.openapi.version, before + 2)
})
