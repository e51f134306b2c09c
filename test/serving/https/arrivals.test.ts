import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { Arrivals } from '#serving/https/arrivals.ts'
import { DEFAULT_LIMITS } from '#serving/https/limits.ts'
import { ask } from '../../support/https.ts'
import { authority, knowsClient, serve } from './local-server.ts'

const SLOW = { burst: 3, perSecond: 0.001 }

const addresses = (count: number) => Array.from({ length: count }, (_, at) => `127.0.1.${at + 1}`)

test('Arrivals admits what is reserved for each address, and shares the rest', () => {
  const arrivals = new Arrivals({ peer: SLOW, reserved: { ...SLOW, burst: 1 }, shared: SLOW }, 0)
  const admitted = ['a', 'a', 'a', 'a', 'b', 'b', 'b', 'c'].map((one) => arrivals.admit(one, 0))
  assert.deepEqual(admitted, [true, true, true, false, true, true, false, true])
})

test('Arrivals admits the address of a known client when nothing is left for others', () => {
  const none = { burst: 0, perSecond: 0 }
  const reserved = { burst: 1, perSecond: 0 }
  const arrivals = new Arrivals({ peer: SLOW, reserved, shared: none }, 0)
  arrivals.admit('a', 0)
  arrivals.know('a')
  const admitted = ['b', 'b', 'a', 'a', 'a', 'a'].map((one) => arrivals.admit(one, 0))
  assert.deepEqual(admitted, [true, false, true, true, true, false])
})

test('Fifty addresses that open what each of them may leave the process most of its time', () => {
  const arrivals = new Arrivals(DEFAULT_LIMITS.arrivals, 0)
  const second = (from: number) => {
    let admitted = 0
    for (let ms = 0; ms < 1_000; ms += 50)
      for (const address of addresses(50)) if (arrivals.admit(address, from + ms)) admitted += 1
    return admitted
  }
  for (let at = 0; at < 10; at += 1) second(at * 1_000)
  // A handshake takes a millisecond of the event loop.
  assert.ok(second(10_000) <= 101)
})

test('HttpsServer answers API servers and kubelets while many addresses open connections', async (t) => {
  const arrivals = { peer: { burst: 100, perSecond: 0.001 }, reserved: SLOW, shared: SLOW }
  const limits = { arrivals, connections: 1_000 }
  const { port } = await serve(t, { clientCa: authority.cert, knowsClient, limits })
  const client = await authority.issue({ commonName: 'proxy', extendedKeyUsage: ['clientAuth'] })
  const asApiServer = { client, localAddress: '127.0.0.10' }
  assert.equal((await ask(port, '/', asApiServer)).status, 200)
  const opened = addresses(10).flatMap((address) => Array<string>(6).fill(address))
  const handshakes = await Promise.all(opened.map((address) => shakesHands(port, address)))
  assert.equal(handshakes.filter(Boolean).length, 10 * 3 + 3)
  for (let request = 0; request < 10; request += 1) {
    assert.equal((await ask(port, '/', asApiServer)).status, 200)
  }
  assert.equal((await ask(port, '/livez', { localAddress: '127.0.0.11' })).status, 200)
})

async function shakesHands(port: number, localAddress: string): Promise<boolean> {
  // The type of tls.connect lacks the options of net.connect that it passes on.
  const options = { port, host: '127.0.0.1', localAddress, rejectUnauthorized: false }
  const socket = connect(options)
  try {
    await once(socket, 'secureConnect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
