import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serveApp } from '../support/app.ts'

const CUSTOM = '/apis/custom.metrics.k8s.io'
const EXTERNAL = '/apis/external.metrics.k8s.io'

const CUSTOM_PATHS =
  'metrics are at namespaces/{namespace}/{resource}/{name}/{metric} and namespaces/{namespace}/metrics/{metric}'
const OFF =
  'Cannot find external metrics: they are off; set EXTERNAL_METRICS=true, or the annotation ' +
  'flux-metrics/external-metrics: "true"'

for (const [path, external, message] of [
  [
    `${CUSTOM}/v1/nodes/a/b`,
    false,
    `"${CUSTOM}/v1/nodes/a/b": expected version v1beta2 or v1beta1`,
  ],
  [`${CUSTOM}/`, false, `"${CUSTOM}/": expected version v1beta2 or v1beta1`],
  [`${CUSTOM}/v1beta2/nodes/*/a`, false, `"${CUSTOM}/v1beta2/nodes/*/a": ${CUSTOM_PATHS}`],
  [`${CUSTOM}/v1beta1/`, false, `"${CUSTOM}/v1beta1/": ${CUSTOM_PATHS}`],
  [`${EXTERNAL}/v1`, true, `"${EXTERNAL}/v1": expected version v1beta1`],
  [
    `${EXTERNAL}/v1beta1/a`,
    true,
    `"${EXTERNAL}/v1beta1/a": metrics are at namespaces/{namespace}/{metric}`,
  ],
  [EXTERNAL, false, OFF],
  [`${EXTERNAL}/v1beta1/namespaces/default/node_up_count`, false, OFF],
  ['/apis/apps/v1', false, '"/apis/apps/v1"'],
  ['/api', false, '"/api"'],
] as const) {
  test(`${path} is not found${external ? ', with external metrics' : ''}, with the reason`, async (t) => {
    const app = await serveApp(t, { external })
    const { code, text } = await app.get(path)
    assert.equal(code, 404)
    const expected = message === OFF ? OFF : `Nothing is served at ${message}`
    assert.equal(JSON.parse(text).message, expected)
  })
}

test('a path that is served is not reported as missing', async (t) => {
  const app = await serveApp(t, { external: true })
  const metrics = 'v1beta1/namespaces/default'
  for (const path of [
    CUSTOM,
    `${CUSTOM}/v1beta2`,
    `${CUSTOM}/${metrics}/metrics/node_up_count`,
    EXTERNAL,
    `${EXTERNAL}/${metrics}/node_up_count`,
  ]) {
    assert.equal((await app.get(path)).code, 200, path)
  }
})
