import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serveApp } from '../../support/app.ts'

const VERSIONS = ['v1beta1', 'v1beta2']

const FORMS = [
  '/namespaces/{namespace}/miniclusters.flux-framework.org/{name}/{metric}',
  '/namespaces/{namespace}/services/{name}/{metric}',
  '/namespaces/{namespace}/metrics/{metric}',
]

function pathsOf(versions: readonly string[]) {
  return versions.flatMap((version) =>
    FORMS.map((form) => `/apis/custom.metrics.k8s.io/${version}${form}`),
  )
}

/** Every `$ref` below `node`, and every `operationId`. */
function collect(node: unknown, key: string): unknown[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([name, value]) =>
    name === key ? [value] : collect(value, key),
  )
}

/** The value to which `#/a/b` points, or `undefined`. */
function resolve(document: unknown, reference: string): unknown {
  let node = document
  for (const segment of reference.split('/').slice(1)) {
    node =
      typeof node === 'object' && node !== null
        ? new Map(Object.entries(node)).get(segment)
        : undefined
  }
  return node
}

function assertSound(document: unknown): void {
  const references = collect(document, '$ref')
  assert.ok(references.length > 0)
  for (const reference of references) {
    assert.equal(typeof resolve(document, String(reference)), 'object')
  }
  const ids = collect(document, 'operationId')
  assert.equal(new Set(ids).size, ids.length)
}

test('/openapi/v2 describes the metric paths of both versions', async (t) => {
  const app = await serveApp(t)
  const { code, headers, text } = await app.get('/openapi/v2')
  const document = JSON.parse(text)
  assert.deepEqual([code, headers['content-type']], [200, 'application/json'])
  assert.equal(document.swagger, '2.0')
  assert.deepEqual(document.info, { title: 'Flux metrics', version: '1.2.3' })
  assert.deepEqual(Object.keys(document.paths).sort(), pathsOf(VERSIONS).sort())
  assertSound(document)
})

test('/openapi/v3 points to a document for each version, by its hash', async (t) => {
  const app = await serveApp(t)
  const { code, text } = await app.get('/openapi/v3')
  const { paths } = JSON.parse(text)
  assert.equal(code, 200)
  const names = VERSIONS.map((version) => `apis/custom.metrics.k8s.io/${version}`)
  assert.deepEqual(Object.keys(paths).sort(), names)
  for (const name of names) {
    const { serverRelativeURL } = paths[name]
    const { headers } = await app.get(serverRelativeURL)
    assert.equal(`"${serverRelativeURL.split('?hash=')[1]}"`, headers.etag)
  }
})

for (const version of VERSIONS) {
  test(`/openapi/v3 describes the metric paths of ${version}`, async (t) => {
    const app = await serveApp(t)
    const { code, headers, text } = await app.get(
      `/openapi/v3/apis/custom.metrics.k8s.io/${version}?hash=outdated`,
    )
    const document = JSON.parse(text)
    assert.deepEqual([code, headers['content-type']], [200, 'application/json'])
    assert.equal(document.openapi, '3.0.0')
    assert.deepEqual(Object.keys(document.paths).sort(), pathsOf([version]).sort())
    assertSound(document)
  })
}

test('every parameter in a path is declared there', async (t) => {
  const app = await serveApp(t)
  const { paths } = JSON.parse((await app.get('/openapi/v2')).text)
  for (const [path, item] of Object.entries<{ parameters: { name: string; in: string }[] }>(
    paths,
  )) {
    const declared = item.parameters.filter((one) => one.in === 'path').map(({ name }) => name)
    const used = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    assert.deepEqual(declared.sort(), used.sort())
  }
})

for (const path of [
  '/openapi/v2',
  '/openapi/v3',
  '/openapi/v3/apis/custom.metrics.k8s.io/v1beta2',
]) {
  test(`${path} answers 304 if the client has the document`, async (t) => {
    const app = await serveApp(t)
    const { headers } = await app.get(path)
    const { code, text } = await app.get(path, { 'If-None-Match': headers.etag ?? '' })
    assert.deepEqual([code, text], [304, ''])
  })
}

for (const path of ['/openapi', '/openapi/v2/', '/openapi/v3/apis/apps/v1', '/openapi/v4']) {
  test(`${path} is 404`, async (t) => {
    const app = await serveApp(t)
    assert.equal((await app.get(path)).code, 404)
  })
}
