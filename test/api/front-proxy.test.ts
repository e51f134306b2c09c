import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import Koa from 'koa'
import { authenticate, FRONT_PROXY } from '#api/front-proxy.ts'
import { failures } from '#serving/failure.ts'
import { createClientVerifier } from '#serving/https/client-verifier.ts'
import { HttpsServer } from '#serving/https/server.ts'
import { createLogger } from '#serving/log.ts'
import { createAuthority, type KeyPair } from '../support/certificates.ts'
import { ask } from '../support/https.ts'

const log = createLogger('silent')
const frontProxy = await createAuthority('front-proxy-ca')
const impostor = await createAuthority('front-proxy-ca')
const serving = await (await createAuthority('serving')).issue({
  commonName: 'server',
  dns: ['localhost'],
})
const client = (options: object = {}, authority = frontProxy) =>
  authority.issue({
    commonName: 'front-proxy-client',
    extendedKeyUsage: ['clientAuth'],
    ...options,
  })

async function serve(
  t: TestContext,
  allowedNames: readonly string[] = ['front-proxy-client'],
  clientCa = frontProxy.cert,
) {
  const app = new Koa()
  app.use(failures(log))
  app.use(
    authenticate(
      createClientVerifier(() => allowedNames, FRONT_PROXY),
      new Set(['/livez']),
    ),
  )
  app.use((ctx) => {
    ctx.body = 'metrics'
  })
  const server = new HttpsServer({
    handler: app.callback(),
    credentials: { ...serving, clientCa },
    log,
  })
  const { port } = await server.listen({ port: 0, address: '127.0.0.1' })
  t.after(() => server.drain(0))
  return { server, port }
}

const REFUSED: readonly [what: string, pair: () => Promise<KeyPair | undefined>, reason: RegExp][] =
  [
    ['no certificate', async () => undefined, /it sent no certificate/],
    [
      'the right name from another authority',
      () => client({}, impostor),
      /not issued by the front proxy's authority/,
    ],
    [
      'another name',
      () => client({ commonName: 'kubelet' }),
      /the name "kubelet" is not one of the allowed names/,
    ],
    [
      'an expired certificate',
      () => client({ notAfter: new Date(Date.now() - 1000) }),
      /CERT_HAS_EXPIRED/,
    ],
    [
      'a certificate for servers',
      () => client({ extendedKeyUsage: ['serverAuth'] }),
      /authority|client authentication/,
    ],
    [
      'a certificate for no named use',
      () => client({ extendedKeyUsage: null }),
      /not for client authentication/,
    ],
  ]

for (const [what, pair, reason] of REFUSED) {
  test(`authenticate answers 401 to ${what}`, async (t) => {
    const { port } = await serve(t)
    const headers = { 'x-remote-user': 'system:admin', 'x-remote-group': 'system:masters' }
    const { status, text } = await ask(port, '/apis', { client: await pair(), headers })
    assert.equal(status, 401)
    const { kind, reason: code, message } = JSON.parse(text)
    assert.deepEqual([kind, code], ['Status', 'Unauthorized'])
    assert.match(message, reason)
  })
}

test('authenticate accepts the front proxy', async (t) => {
  const { port } = await serve(t)
  assert.equal((await ask(port, '/apis', { client: await client() })).text, 'metrics')
})

test('authenticate accepts any name if none is listed, as Kubernetes does', async (t) => {
  const { port } = await serve(t, [])
  const anyone = await client({ commonName: 'aggregator-7' })
  assert.equal((await ask(port, '/apis', { client: anyone })).status, 200)
})

test('authenticate accepts every client at the open paths', async (t) => {
  const { port } = await serve(t)
  assert.equal((await ask(port, '/livez')).status, 200)
})

test('While a CA is replaced by one of the same name, clients of both are accepted', async (t) => {
  const [old, young] = [frontProxy.cert, impostor.cert]
  for (const bundle of [
    [old, young],
    [young, old],
    [old, young, old],
  ]) {
    const { port } = await serve(t, undefined, bundle.join('\n'))
    for (const authority of [frontProxy, impostor]) {
      const { status } = await ask(port, '/', { client: await client({}, authority) })
      assert.equal(status, 200)
    }
  }
})

test('A client of the old CA is refused after the CA has changed, on kept connections too', async (t) => {
  const { server, port } = await serve(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const old = await client()
  assert.equal((await ask(port, '/apis', { client: old, agent })).status, 200)
  const [kept] = Object.values(agent.freeSockets).flat()
  assert.ok(kept, 'the connection was kept')
  const closed = once(kept, 'close')
  server.update({ ...serving, clientCa: impostor.cert })
  await closed
  assert.equal((await ask(port, '/apis', { client: old, agent })).status, 401)
  assert.equal((await ask(port, '/apis', { client: await client({}, impostor) })).status, 200)
})

/** A bare TLS connection, on which the test sends bytes itself. */
async function open(t: TestContext, port: number, pair: KeyPair) {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...pair })
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  // A socket reports its end only while it is read.
  socket.resume()
  return socket
}

test('A client of the old CA without a request is disconnected after the CA has changed', async (t) => {
  const { server, port } = await serve(t)
  const socket = await open(t, port, await client())
  const closed = once(socket, 'close')
  server.update({ ...serving, clientCa: impostor.cert })
  await closed
})

test('A client of the old CA in the middle of a request is disconnected after the CA has changed', async (t) => {
  const { server, port } = await serve(t)
  const socket = await open(t, port, await client())
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /apis HTTP/1.1\r\nHos')
  await once(socket, 'data')
  const closed = once(socket, 'close')
  server.update({ ...serving, clientCa: impostor.cert })
  await closed
})

test('A client in its handshake is disconnected after the CA has changed', async (t) => {
  const { server, port } = await serve(t)
  const socket = connectTcp({ port, host: '127.0.0.1' })
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.resume()
  // The server has accepted this connection when it answers a later one.
  await ask(port, '/livez')
  const closed = once(socket, 'close')
  server.update({ ...serving, clientCa: impostor.cert })
  await closed
})

test('A kept connection is refused after its certificate has expired', async (t) => {
  const { port } = await serve(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const pair = await client()
  assert.equal((await ask(port, '/apis', { client: pair, agent })).status, 200)
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 48 * 3_600_000 })
  const { status, text } = await ask(port, '/apis', { client: pair, agent })
  assert.equal(status, 401)
  assert.match(text, /has expired/)
})
