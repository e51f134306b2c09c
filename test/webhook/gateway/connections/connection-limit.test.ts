import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { type TestContext, test } from 'node:test'
import { ConnectionLimit } from '../../../../webhook/gateway/connections/connection-limit.ts'
import type { MiniClusterName } from '../../../../webhook/gateway/peers/peer.ts'
import { until } from '../../../support/until.ts'
import { answering, certify, errorOf, NAME, podOf, serve, setup } from '../asking/fleet.ts'

/** A peer with connections that all wait for a request, or none of which does. */
function pool(isIdle = true) {
  const open: EventEmitter[] = []
  return {
    get idle() {
      return isIdle ? open.length : 0
    },
    open,
    closeIdle() {
      for (const connection of open.splice(0)) connection.emit('close')
    },
  }
}

function connect(limit: ConnectionLimit, namespace: string, peer = pool()) {
  const connection = new EventEmitter()
  peer.open.push(connection)
  limit.add(namespace, peer, connection)
  return peer
}

test('where there are too many, the namespace with the most closes its oldest unused connection', () => {
  const limit = new ConnectionLimit(4)
  const busy = connect(limit, 'many', pool(false))
  const [first, second] = [connect(limit, 'many'), connect(limit, 'many')]
  const one = connect(limit, 'few')
  const other = connect(limit, 'few')
  const open = [busy, first, second, one, other].map((peer) => peer.open.length)
  assert.deepEqual([open, limit.total], [[1, 0, 1, 1, 1], 4])
})

test('who has none that is unused makes no room, and what is closed is not counted', () => {
  const limit = new ConnectionLimit(1)
  const peers = [connect(limit, 'a', pool(false)), connect(limit, 'b', pool(false))]
  assert.equal(limit.total, 2)
  for (const peer of peers) peer.closeIdle()
  assert.equal(limit.total, 0)
})

async function sidecarOf(t: TestContext, name: MiniClusterName) {
  return podOf(name, (await serve(t, await certify(name), answering(name))).port)
}

test('sidecars of one namespace take no connection of another, and all are answered', async (t) => {
  const names = Array.from({ length: 6 }, (_, index) => ({
    namespace: index === 0 ? 'few' : 'many',
    minicluster: `m${index}`,
  }))
  const pods = await Promise.all(names.map((name) => sidecarOf(t, name)))
  const connections = new ConnectionLimit(3)
  const { ask, asking } = setup(t, { pods, connections })
  for (const name of [...names, ...names]) await ask(name)
  await until(() => asking.state.idleConnections === 3, 'three connections are kept')
  const [few] = names
  const before = connections.total
  await ask(few)
  assert.deepEqual([before, connections.total], [3, 3])
})

test('a gateway that was busy itself does not leave the sidecar in peace', async (t) => {
  // It never answers: an answer could come before the gateway is busy.
  const { port } = await serve(t, await certify(NAME), () => {})
  const { ask, asking, outcomes } = setup(t, { pods: [podOf(NAME, port)] })
  for (let time = 0; time < 3; time += 1) {
    const failed = errorOf(ask(NAME, { waitMs: 300 }))
    await new Promise(setImmediate)
    for (const end = performance.now() + 400; performance.now() < end; );
    assert.equal((await failed)[0], 503)
    await until(() => asking.state.running === 0, 'the request has ended')
  }
  assert.deepEqual(
    outcomes.map(([outcome]) => outcome),
    ['late', 'late', 'late'],
  )
  assert.equal(asking.state.openCircuits, 0)
})
