import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MiniClusterName } from '../../../webhook/gateway/peers/peer.ts'
import { createTelemetry, registerStateGauges } from '../../../webhook/gateway/telemetry.ts'
import { certify, errorOf, NAME, podOf, serve, setup } from './asking/fleet.ts'

const STATE = { running: 0, waiting: 0, openCircuits: 0, idleConnections: 0 }

test('MiniClusters are counted by whether their sidecars can be asked', async () => {
  const states = new Map([
    ['a', 'askable'],
    ['b', 'askable'],
    ['c', 'unready'],
    ['d', 'unreachable'],
  ] as const)
  const telemetry = createTelemetry()
  const all = (): readonly MiniClusterName[] =>
    [...states.keys()].map((minicluster) => ({ namespace: 'team', minicluster }))
  registerStateGauges(telemetry.registry, {
    peers: { all },
    asking: {
      state: STATE,
      peerState: ({ minicluster }) =>
        [...states].find(([name]) => name === minicluster)?.[1] ?? 'unproved',
    },
    budget: { bytes: 12 },
    upstreams: { problems: new Map() },
  })
  const page = String(await telemetry.render())
  assert.deepEqual(page.match(/^flux_gateway_sidecars\{.*$/gm), [
    'flux_gateway_sidecars{state="askable"} 2',
    'flux_gateway_sidecars{state="unready"} 1',
    'flux_gateway_sidecars{state="unproved"} 0',
    'flux_gateway_sidecars{state="unreachable"} 1',
  ])
  assert.match(page, /^flux_gateway_answer_bytes 12$/m)
})

test('the state of a sidecar follows from what happened when it was asked', async (t) => {
  const { server, port } = await serve(t, await certify(NAME), (_request, response) => {
    response.end()
  })
  const { asking, peers, ask } = setup(t, { pods: [podOf(NAME, port)] })
  assert.equal(asking.peerState(NAME), 'askable')
  peers.unready = { pod: 'flux-sample-0-x', why: 'is not running' }
  assert.equal(asking.peerState(NAME), 'unready')
  peers.unready = undefined
  server.closeAllConnections()
  server.close()
  for (let time = 0; time < 3; time += 1) await errorOf(ask())
  assert.equal(asking.peerState(NAME), 'unreachable')
  const other = await serve(t, await certify({ ...NAME, namespace: 'team-b' }), () => {})
  peers.pods.splice(0, 1, podOf(NAME, other.port))
  await errorOf(ask())
  assert.equal(asking.peerState(NAME), 'unproved')
})

test("the gateway's own page is made once for all who ask within a second", async (t) => {
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const telemetry = createTelemetry()
  const [first, second] = await Promise.all([telemetry.render(), telemetry.render()])
  assert.equal(first, second)
  telemetry.asked('answered', { shared: false })
  now = 999
  assert.equal(await telemetry.render(), first)
  now = 1_000
  const next = String(await telemetry.render())
  assert.match(next, /^flux_gateway_questions_total\{outcome="answered",shared="false"\} 1$/m)
})
