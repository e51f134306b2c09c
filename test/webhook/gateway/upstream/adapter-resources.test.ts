import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLog } from '../../../support/memory-log.ts'
import { CUSTOM, emptyList, eventually, headerOf, startAdapter, startGateway } from './adapters.ts'

const WITHIN = { timeout: 20_000 }
const V1 = `${CUSTOM}/v1beta1`
const V2 = `${CUSTOM}/v1beta2`

function listOf(...names: readonly string[]): string {
  const resources = names.map((name) => ({
    name,
    singularName: '',
    namespaced: true,
    kind: 'MetricValueList',
    verbs: ['get', 'list', 'delete'],
  }))
  return JSON.stringify({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: V1, resources })
}

type Gateway = Awaited<ReturnType<typeof startGateway>>

const namesIn = ({ adapter }: Gateway, groupVersion: string) =>
  adapter.resources.resourcesOf(groupVersion).map(({ name }) => name)

test('the lists of both versions are read at start, with the token', WITHIN, async (t) => {
  const server = await startAdapter(t, { discovery: (version) => listOf(`pods/${version}`) })
  const gateway = await startGateway(t, server)
  assert.deepEqual(namesIn(gateway, V1), ['pods/v1beta1'])
  assert.deepEqual(namesIn(gateway, V2), ['pods/v1beta2'])
  assert.deepEqual(namesIn(gateway, 'external.metrics.k8s.io/v1beta1'), [])
  assert.deepEqual(
    server.discovered.map((one) => [one.url, ...headerOf(one, 'authorization')]).sort(),
    [
      [`/apis/${V1}`, 'Bearer first-token'],
      [`/apis/${V2}`, 'Bearer first-token'],
    ],
  )
  assert.equal(gateway.adapter.problem, undefined)
})

test('a version that is not served lists what the other has', WITHIN, async (t) => {
  const discovery = (version: string) => (version === 'v1beta1' ? listOf('pods/m') : undefined)
  const gateway = await startGateway(t, await startAdapter(t, { discovery }))
  assert.deepEqual([namesIn(gateway, V1), namesIn(gateway, V2)], [['pods/m'], ['pods/m']])
})

test('404 is an error until the adapter has said which versions it serves', WITHIN, async (t) => {
  let isReady = false
  const discovery = (version: string) =>
    isReady && version === 'v1beta1' ? listOf('pods/m') : undefined
  const server = await startAdapter(t, {
    discovery,
    handler: (request, response) => {
      const isServed =
        request.url?.startsWith(`/apis/${V1}/`) === true && !request.url.endsWith('/x')
      response.writeHead(isServed ? 200 : 404, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify({ kind: 'MetricValueList', apiVersion: V1, items: [] }))
    },
  })
  const gateway = await startGateway(t, { ...server, pollMs: 50 })
  const path = `/apis/${V2}/namespaces/a/pods/%2A`
  const before = await gateway.get(`${path}/m`)
  assert.equal(before.status, 503)
  assert.match(before.text, /it answers 404, and it serves no version of the group/)
  assert.equal((await gateway.get(`/apis/${V1}/namespaces/a/pods/%2A/m`)).status, 200)
  isReady = true
  await eventually(async () => assert.equal((await gateway.get(`${path}/m`)).status, 200))
  assert.equal((await gateway.get(`${path}/x`)).status, 404)
})

test('what is no resource is left out, and each name is there once', WITHIN, async (t) => {
  const discovery = () =>
    JSON.stringify({
      kind: 'APIResourceList',
      resources: [
        { name: 'pods/m', namespaced: true, kind: 'MetricValueList' },
        { name: 'pods/m', namespaced: true, kind: 'MetricValueList' },
        { name: 'namespaces/m', namespaced: false, kind: 'MetricValueList' },
        { name: 'a/b/c', namespaced: true, kind: 'K' },
        // Never asked of the adapter: MiniClusters are ours.
        { name: 'miniclusters.flux-framework.org/m', namespaced: true, kind: 'MetricValueList' },
        { name: '', kind: 'K' },
        { name: '/m', kind: 'K' },
        { name: 'x'.repeat(513), kind: 'K' },
        { name: 'no-kind' },
        { kind: 'K' },
        null,
        'm',
      ],
    })
  const gateway = await startGateway(t, await startAdapter(t, { discovery }))
  assert.deepEqual(gateway.adapter.resources.resourcesOf(V1), [
    { name: 'pods/m', namespaced: true, kind: 'MetricValueList' },
    { name: 'namespaces/m', namespaced: false, kind: 'MetricValueList' },
  ])
})

for (const [what, text, problem] of [
  ['HTML', '<html>', 'its discovery of v1beta2 is no APIResourceList'],
  ['another kind', '{"kind":"Status"}', 'its discovery of v1beta2 is no APIResourceList'],
  ['5 MiB', ' '.repeat(5 * 1024 * 1024), `its answer has more than 4 MiB at /apis/${V2}`],
] as const) {
  test(`discovery that is ${what} lists nothing, and metrics are passed on`, WITHIN, async (t) => {
    const server = await startAdapter(t, { discovery: () => text })
    const gateway = await startGateway(t, server)
    assert.deepEqual([namesIn(gateway, V1), namesIn(gateway, V2)], [[], []])
    assert.equal(gateway.adapter.problem, problem)
    const path = `/apis/${V2}/namespaces/a/metrics/m`
    assert.equal((await gateway.get(path)).status, 200)
    assert.equal(server.received[0]?.url, path)
  })
}

test('an adapter of another group is a problem', WITHIN, async (t) => {
  const gateway = await startGateway(t, await startAdapter(t, { discovery: () => undefined }))
  assert.equal(gateway.adapter.problem, 'it serves no version of the group')
})

test('the lists follow the adapter, and their version grows only then', WITHIN, async (t) => {
  let names = ['pods/a']
  const server = await startAdapter(t, { discovery: () => listOf(...names) })
  const gateway = await startGateway(t, { ...server, pollMs: 20 })
  const { resources } = gateway.adapter
  const before = resources.version
  const polled = server.discovered.length
  await eventually(() => assert.ok(server.discovered.length > polled + 6))
  assert.equal(resources.version, before)
  names = ['pods/a', 'pods/b']
  await eventually(() => assert.deepEqual(namesIn(gateway, V1), ['pods/a', 'pods/b']))
  assert.ok(resources.version > before)
})

test(
  'the lists stay for two minutes while the adapter is down, and come back with it',
  WITHIN,
  async (t) => {
    let now = 0
    const server = await startAdapter(t, { discovery: () => listOf('pods/a') })
    const { log, lines } = memoryLog()
    const gateway = await startGateway(t, { ...server, log, pollMs: 20, now: () => now })
    const { resources } = gateway.adapter
    await server.stop()
    await eventually(() => assert.match(gateway.adapter.problem ?? '', /ECONNREFUSED/))
    now = 119_000
    const before = resources.version
    assert.deepEqual(namesIn(gateway, V1), ['pods/a'])
    now = 121_000
    await eventually(() => assert.deepEqual(namesIn(gateway, V1), []))
    assert.ok(resources.version > before)
    const dropped = resources.version
    await startAdapter(t, { port: server.port, discovery: () => listOf('pods/a') })
    await eventually(() => assert.deepEqual(namesIn(gateway, V1), ['pods/a']))
    assert.ok(resources.version > dropped)
    const known = lines.filter(({ msg }) => msg === 'the discovery of the adapter is known')
    const unknown = lines.filter(({ msg }) => msg === 'the discovery of the adapter is not known')
    assert.deepEqual([known.length, unknown.length], [2, 1])
  },
)

test('an adapter that is down at start is known when it comes', WITHIN, async (t) => {
  const first = await startAdapter(t)
  await first.stop()
  const gateway = await startGateway(t, { port: first.port, pollMs: 20 })
  assert.deepEqual(namesIn(gateway, V1), [])
  await startAdapter(t, { port: first.port, discovery: () => listOf('pods/a') })
  await eventually(() => assert.deepEqual(namesIn(gateway, V1), ['pods/a']))
})

test(
  'an adapter that is upgraded is asked in the version of the request again',
  WITHIN,
  async (t) => {
    let versions = ['v1beta1']
    const server = await startAdapter(t, {
      discovery: (version) => (versions.includes(version) ? emptyList() : undefined),
    })
    const gateway = await startGateway(t, { ...server, pollMs: 20 })
    versions = ['v1beta1', 'v1beta2']
    await eventually(async () => {
      const answer = await gateway.get(`/apis/${V2}/namespaces/a/metrics/m`)
      assert.deepEqual([answer.status, answer.text], [200, '{}'])
    })
    assert.equal(server.received.at(-1)?.url, `/apis/${V2}/namespaces/a/metrics/m`)
  },
)
