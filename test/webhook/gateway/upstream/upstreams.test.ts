import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { createLogger } from '#serving/log.ts'
import { registerStateGauges } from '../../../../webhook/gateway/telemetry.ts'
import { Upstreams } from '../../../../webhook/gateway/upstream/upstreams.ts'
import { startAdapter, toLocal } from './adapters.ts'

const log = createLogger('silent')
const NONE = { custom: undefined, external: undefined, tokenFile: '/no/token', log }

test('without adapters there is nothing to ask and nothing to list', async () => {
  const upstreams = new Upstreams(NONE)
  await upstreams.start()
  assert.deepEqual([upstreams.custom, upstreams.external], [undefined, undefined])
  assert.deepEqual([...upstreams.problems], [])
  assert.equal(upstreams.resources.version, 0)
  assert.deepEqual(upstreams.resources.resourcesOf('custom.metrics.k8s.io/v1beta1'), [])
  assert.deepEqual([upstreams.openapi.version, upstreams.openapi.v2()], [0, undefined])
  upstreams.close()
})

test('the adapters of both groups list together', async (t) => {
  const paths = {
    '/apis/custom.metrics.k8s.io/v1beta1/': 1,
    '/apis/external.metrics.k8s.io/v1beta1/': 1,
  }
  const description = JSON.stringify({ paths })
  const server = await startAdapter(t, {
    openapi: new Map([
      ['/openapi/v2', description],
      ['/openapi/v3/apis/external.metrics.k8s.io/v1beta1', description],
    ]),
    discovery: () =>
      JSON.stringify({
        kind: 'APIResourceList',
        resources: [{ name: 'm', namespaced: true, kind: 'K' }],
      }),
  })
  const folder = await mkdtemp(join(tmpdir(), 'upstream-'))
  t.after(() => rm(folder, { recursive: true }))
  const tokenFile = join(folder, 'token')
  await writeFile(tokenFile, 'token')
  const target = { namespace: 'a', service: 'b', port: server.port, caFile: undefined }
  const options = { custom: target, external: target, tokenFile, log, lookup: toLocal }
  const upstreams = new Upstreams(options)
  t.after(() => upstreams.close())
  await upstreams.start()
  const expected = [{ name: 'm', namespaced: true, kind: 'K' }]
  for (const groupVersion of [
    'custom.metrics.k8s.io/v1beta1',
    'custom.metrics.k8s.io/v1beta2',
    'external.metrics.k8s.io/v1beta1',
  ]) {
    assert.deepEqual(upstreams.resources.resourcesOf(groupVersion), expected)
  }
  assert.equal(upstreams.resources.version, 2)
  const [custom, external] = ['custom', 'external'].map(
    (name) => `/apis/${name}.metrics.k8s.io/v1beta1`,
  )
  const { openapi } = upstreams
  assert.deepEqual(Object.keys(openapi.v2()?.paths ?? {}), [`${custom}/`, `${external}/`])
  assert.deepEqual(openapi.v3(`${external}`)?.paths, { [`${external}/`]: 1 })
  assert.equal(openapi.version, 3)
  const up = async () => {
    const registry = new Registry()
    const state = { running: 0, waiting: 0, openCircuits: 0, idleConnections: 0 }
    const asking = { state, peerState: () => 'askable' as const }
    const peers = { all: () => [] }
    registerStateGauges(registry, { peers, asking, budget: { bytes: 0 }, upstreams })
    return (await registry.metrics()).match(/^flux_gateway_adapter_up.*$/gm)
  }
  const groups = ['custom', 'external'].map((name) => `{group="${name}.metrics.k8s.io"}`)
  assert.deepEqual(
    await up(),
    groups.map((group) => `flux_gateway_adapter_up${group} 1`),
  )
  assert.equal(server.discovered.length, 3)
})
