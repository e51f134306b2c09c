import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect } from 'node:tls'
import { Arrivals } from '#serving/https/arrivals.ts'
import { DEFAULT_LIMITS, UNKNOWN_CERTIFICATES } from '#serving/https/limits.ts'
import { createAuthority, type KeyPair } from '../../support/certificates.ts'
import { ask } from '../../support/https.ts'
import { authority, echo, GET, knowsClient, pair, serve, WITHIN } from './local-server.ts'

const SLOW = { burst: 3, perSecond: 0.001 }
const CERTIFICATES = { unknownCertificates: UNKNOWN_CERTIFICATES }

const MANY = { burst: 100, perSecond: 0.001 }

const addresses = (count: number) => Array.from({ length: count }, (_, at) => `127.0.1.${at + 1}`)

test('Arrivals admits what is reserved for each address, and shares the rest', () => {
  const limits = { peer: SLOW, reserved: { ...SLOW, burst: 1 }, shared: SLOW, ...CERTIFICATES }
  const arrivals = new Arrivals(limits, 0)
  const admitted = ['a', 'a', 'a', 'a', 'b', 'b', 'b', 'c'].map((one) => arrivals.admit(one, 0))
  assert.deepEqual(admitted, [true, true, true, false, true, true, false, true])
})

test('Arrivals admits the address of a known client when nothing is left for others', () => {
  const none = { burst: 0, perSecond: 0 }
  const reserved = { burst: 1, perSecond: 0 }
  const arrivals = new Arrivals({ peer: SLOW, reserved, shared: none, ...CERTIFICATES }, 0)
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
  const arrivals = { peer: MANY, reserved: SLOW, shared: SLOW, ...CERTIFICATES }
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

const API_SERVER = '127.0.0.10'

/** TCP connections of an API server that the server has accepted, and on which nothing was said yet. */
async function begin(t: TestContext, port: number, count: number): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: count }, () =>
    connectTcp({ port, host: '127.0.0.1', localAddress: API_SERVER }),
  )
  for (const socket of sockets) {
    t.after(() => socket.destroy())
    socket.on('error', () => {})
  }
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  // Node accepts one in each turn of the event loop.
  for (let turn = 0; turn < 2 * count; turn += 1) await nextTurn()
  return sockets
}

/** Whether a request is answered on a TCP connection. */
function answerOn(tcp: Socket, { cert, key }: KeyPair): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ socket: tcp, rejectUnauthorized: false, cert, key })
  socket.once('data', () => resolve(true))
  socket.on('error', () => resolve(false))
  socket.once('close', () => resolve(false))
  socket.write(GET)
  return promise
}

/** A server that knows the address of an API server. */
async function serveKnown(t: TestContext, room: number) {
  const limits = { known: { connections: room, requests: room } }
  const { port } = await serve(t, { clientCa: authority.cert, knowsClient, limits })
  const client = await authority.issue({ commonName: 'proxy', extendedKeyUsage: ['clientAuth'] })
  const [first] = await begin(t, port, 1)
  assert.ok(first !== undefined && (await answerOn(first, client)))
  return { port, client, first }
}

test(
  'HttpsServer answers all that an API server asks at once on new connections',
  WITHIN,
  async (t) => {
    const { port, client } = await serveKnown(t, 300)
    const begun = await begin(t, port, 250)
    const answers = await Promise.all(begun.map((socket) => answerOn(socket, client)))
    assert.equal(answers.filter(Boolean).length, 250)
  },
)

test(
  'HttpsServer answers an API server beside silent connections of its address',
  WITHIN,
  async (t) => {
    const { port, client, first } = await serveKnown(t, 8)
    let isClosed = false
    first.once('close', () => {
      isClosed = true
    })
    for (const socket of await begin(t, port, 20)) socket.resume()
    assert.equal((await ask(port, '/', { client, localAddress: API_SERVER })).status, 200)
    assert.equal(isClosed, false)
  },
)

/** A hundred certificates, of which a server knows none. */
async function longChain() {
  const stranger = await createAuthority('stranger')
  const { cert, key } = await stranger.issue({
    commonName: 'proxy',
    extendedKeyUsage: ['clientAuth'],
  })
  return { cert: [cert, ...Array<string>(100).fill(stranger.cert)].join('\n'), key }
}

const STRANGER = '127.0.0.2'

test('HttpsServer hears an address no more that sends a long chain of certificates', async (t) => {
  const { server, port } = await serve(t, { clientCa: authority.cert, knowsClient })
  assert.equal(await shakesHands(port, STRANGER, await longChain()), true)
  assert.equal(await shakesHands(port, STRANGER), false)
  assert.equal((await ask(port, '/livez', { localAddress: '127.0.0.11' })).status, 200)
  server.update({ ...pair, clientCa: (await createAuthority('other')).cert })
  assert.equal(await shakesHands(port, STRANGER), true)
})

test('HttpsServer hears an address no more whose handshake is long and has no end', async (t) => {
  const { port } = await serve(t, { clientCa: authority.cert, knowsClient })
  const socket = connectTcp({ port, host: '127.0.0.1', localAddress: STRANGER })
  socket.on('error', () => {})
  // A record of a handshake with a message of 60 kB: most of it comes.
  for (let record = 0; record < 4; record += 1) {
    const start = record === 0 ? [0x01, 0x00, 0xea, 0x60] : []
    const body = Buffer.concat([Buffer.from(start), Buffer.alloc(12_000)])
    socket.write(
      Buffer.concat([Buffer.from([0x16, 0x03, 0x01, body.length >> 8, body.length & 0xff]), body]),
    )
  }
  await sleep(100)
  socket.destroy()
  for (let left = 10; await shakesHands(port, STRANGER); left -= 1) assert.ok(left > 0)
})

test('HttpsServer hears an address no more that sends far more than a request', async (t) => {
  const { port } = await serve(t, { clientCa: authority.cert, knowsClient })
  const options = { port, host: '127.0.0.1', localAddress: STRANGER, rejectUnauthorized: false }
  const socket = connect(options)
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  socket.setNoDelay(true)
  socket.write('GET / HTTP/1.1\r\nX: ')
  socket.resume()
  // Each is a record of 23 bytes.
  for (let byte = 0; byte < 8_000 && !socket.destroyed; byte += 1) {
    await new Promise((resolve) => socket.write('a', resolve))
  }
  assert.equal(socket.destroyed, true)
  assert.equal(await shakesHands(port, STRANGER), false)
  assert.equal((await ask(port, '/livez', { localAddress: '127.0.0.11' })).status, 200)
})

test(
  'HttpsServer reads bodies of any length, but no records without content',
  WITHIN,
  async (t) => {
    const { port } = await serve(t, { handler: echo, readsBodies: true })
    const body = 'a'.repeat(1024 * 1024)
    assert.equal(
      (await ask(port, '/', { method: 'POST', body, localAddress: STRANGER })).text,
      body,
    )
    const options = { port, host: '127.0.0.1', localAddress: STRANGER, rejectUnauthorized: false }
    const socket = connect(options)
    socket.on('error', () => {})
    await once(socket, 'secureConnect')
    socket.setNoDelay(true)
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n')
    socket.resume()
    for (let byte = 0; byte < 8_000 && !socket.destroyed; byte += 1) {
      await new Promise((resolve) => socket.write('a', resolve))
    }
    assert.equal(socket.destroyed, true)
    assert.equal(await shakesHands(port, STRANGER), false)
    assert.equal((await ask(port, '/', { localAddress: '127.0.0.11' })).status, 200)
  },
)

test('HttpsServer tells an API server whose CA it does not know why it is refused', async (t) => {
  const { port } = await serve(t, { clientCa: authority.cert, knowsClient })
  const stranger = await createAuthority('stranger')
  const client = await stranger.issue({ commonName: 'proxy', extendedKeyUsage: ['clientAuth'] })
  for (let request = 0; request < 8; request += 1) {
    assert.equal((await ask(port, '/', { client, localAddress: STRANGER })).status, 200)
  }
})

test('HttpsServer takes all connections of an API server at once, also after another CA', async (t) => {
  const { server, port } = await serve(t, { clientCa: authority.cert, knowsClient })
  const client = await authority.issue({ commonName: 'proxy', extendedKeyUsage: ['clientAuth'] })
  const asApiServer = { client, localAddress: '127.0.0.10' }
  assert.equal((await ask(port, '/', asApiServer)).status, 200)
  const other = await createAuthority('other')
  server.update({ ...pair, clientCa: authority.cert + other.cert })
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask(port, '/', asApiServer)))
  assert.ok(answers.every(({ status }) => status === 200))
})

test('HttpsServer keeps few handshakes of an address, the newest', async (t) => {
  const { port } = await serve(t, { limits: { peerHandshakes: 2 } })
  const sockets = Array.from({ length: 5 }, () =>
    connectTcp({ port, host: '127.0.0.1', localAddress: STRANGER }),
  )
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  await Promise.all(sockets.slice(0, 3).map((socket) => once(socket.resume(), 'close')))
  assert.equal((await ask(port, '/', { localAddress: '127.0.0.11' })).status, 200)
  const closed = sockets.map((socket) => socket.closed)
  assert.deepEqual(closed, [true, true, true, false, false])
})

async function shakesHands(
  port: number,
  localAddress: string,
  certificate: ConnectionOptions = {},
): Promise<boolean> {
  // The type of tls.connect lacks the options of net.connect that it passes on.
  const options = { port, host: '127.0.0.1', localAddress, rejectUnauthorized: false }
  const socket = connect({ ...options, ...certificate })
  try {
    await once(socket, 'secureConnect')
    // In TLS 1.3 the server still has to read the certificate.
    socket.write(GET)
    await once(socket, 'data')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
