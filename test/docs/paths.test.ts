// docs/reference/HTTP.md: a sidecar answers each path of its table.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serveApp } from '../support/app.ts'
import { readPage } from './pages.ts'

const [, TABLE = ''] =
  /<!-- paths[^>]*-->\n([\s\S]*?)\n<!-- \/paths -->/.exec(readPage('docs/reference/HTTP.md')) ?? []

const PATHS = [...TABLE.matchAll(/^\| (.+?) \| /gm)].flatMap(([, cell = '']) =>
  [...cell.matchAll(/`(\/[^`]*)`/g)].map(([, path = '']) => path),
)

test('there are paths', () => {
  assert.ok(PATHS.length > 12, `only ${PATHS.length}`)
})

for (const path of PATHS) {
  test(`${path} is answered`, async (t) => {
    const app = await serveApp(t, { external: true })
    const target = path
      .replace('VERSION', 'v1beta2')
      .replace('NAMESPACE', 'default')
      .replace('SERVICE', 'custom-metrics-apiserver')
      .replace('NAME', 'flux-sample')
      .replace('METRIC', 'node_up_count')
    const { code, text } = await app.get(target)
    assert.equal(code, 200, text)
  })
}
