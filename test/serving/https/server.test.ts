import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { Agent } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { test } from 'node:test'
import { connect, TLSSocket } from 'node:tls'
import { HttpsServer } from '#serving/https/server.ts'
import { createLogger } from '#serving/log.ts'
import { ask } from '../../support/https.ts'
import { memoryLog } from '../../support/memory-log.ts'
import { authority, echo, knowsClient, pair, sayHello, serve } from './local-server.ts'

test('HttpsServer speaks TLS 1.2 and 1.3, and nothing older', async (t) => {
  const { port } = await serve(t)
  const handshake = async (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string | null> => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
    })
    await once(socket, 'secureConnect')
    const protocol = socket.getProtocol()
    socket.destroy()
    return protocol
  }
  assert.equal(await handshake('TLSv1.3'), 'TLSv1.3')
  assert.equal(await handshake('TLSv1.2'), 'TLSv1.2')
  await assert.rejects(handshake('TLSv1.1'))
})

test('HttpsServer takes no key exchange that costs several times as much as others', async (t) => {
  const { port } = await serve(t)
  const handshake = async (ecdhCurve: string) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ecdhCurve })
    await once(socket, 'secureConnect')
    socket.destroy()
  }
  for (const group of ['X25519MLKEM768', 'X25519', 'prime256v1']) await handshake(group)
  for (const group of ['secp384r1', 'secp521r1', 'X448', 'ffdhe3072']) {
    await assert.rejects(handshake(group), /handshake failure/)
  }
})

/** The suite that the server chooses if the client offers one alone. */
async function suite(port: number, ciphers: string): Promise<string> {
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false } as const
  const socket = connect({ ...options, maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` })
  await once(socket, 'secureConnect')
  const { name } = socket.getCipher()
  socket.destroy()
  return name
}

for (const name of ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305']) {
  test(`HttpsServer has the suite ECDHE-ECDSA-${name} of TLS 1.2`, async (t) => {
    const { port } = await serve(t)
    assert.equal(await suite(port, `ECDHE-ECDSA-${name}`), `ECDHE-ECDSA-${name}`)
  })
}

for (const name of ['AES128-SHA', 'AES128-SHA256', 'AES256-SHA384', 'AES128-CCM']) {
  test(`HttpsServer refuses the suite ECDHE-ECDSA-${name}`, async (t) => {
    const { port } = await serve(t)
    await assert.rejects(suite(port, `ECDHE-ECDSA-${name}`), {
      code: 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
    })
  })
}

test('HttpsServer renegotiates nothing', async (t) => {
  const { port } = await serve(t)
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false } as const
  const socket = connect({ ...options, maxVersion: 'TLSv1.2' })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  socket.resume()
  const { promise, resolve } = Promise.withResolvers<Error | null>()
  socket.once('error', resolve)
  socket.renegotiate({}, resolve)
  assert.ok((await promise) instanceof Error)
})

test('HttpsServer offers HTTP/1.1 to a client that prefers HTTP/2', async (t) => {
  const { port } = await serve(t)
  const socket = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
  })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  assert.equal(socket.alpnProtocol, 'http/1.1')
})

test('HttpsServer resumes no session, because it would keep an old verification', async (t) => {
  const { port } = await serve(t, { clientCa: authority.cert })
  const open = async (session?: Buffer): Promise<[TLSSocket, Buffer | undefined]> => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.2',
      ...(session === undefined ? {} : { session }),
    })
    t.after(() => socket.destroy())
    await once(socket, 'secureConnect')
    return [socket, socket.getSession()]
  }
  const [, session] = await open()
  const [second] = await open(session)
  assert.equal(second.isSessionReused(), false)
})

test('HttpsServer closes a connection that sends a body', async (t) => {
  const { port } = await serve(t)
  const answer = await ask(port, '/', { headers: { 'content-length': '4' }, body: 'body' })
  assert.equal(answer.headers.connection, 'close')
})

test('HttpsServer lets a handler read bodies, and keeps the connection', async (t) => {
  const { port } = await serve(t, { handler: echo, readsBodies: true })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  for (const body of ['first', 'second']) {
    const { text, headers } = await ask(port, '/', { method: 'POST', body, agent })
    assert.deepEqual([text, headers.connection], [body, 'keep-alive'])
  }
})

/** Answers with what the server knows about the client. */
const tellClient: RequestListener = ({ socket }, response) => {
  assert.ok(socket instanceof TLSSocket)
  const { CN } = socket.getPeerCertificate().subject ?? {}
  response.end(`${CN} ${socket.authorized}`)
}

const client = await authority.issue({ commonName: 'proxy', extendedKeyUsage: ['clientAuth'] })

test('HttpsServer asks for client certificates only if their CA is known or expected', async (t) => {
  const known = async (options: Parameters<typeof serve>[1]) => {
    const { port } = await serve(t, { handler: tellClient, ...options })
    return (await ask(port, '/', { client })).text
  }
  assert.equal(await known({}), 'undefined false')
  assert.equal(await known({ expectsClientCa: true }), 'proxy false')
  assert.equal(await known({ clientCa: authority.cert }), 'proxy true')
})

test('HttpsServer verifies clients as soon as their CA is known', async (t) => {
  const { server, port } = await serve(t, { handler: tellClient, expectsClientCa: true })
  assert.equal((await ask(port, '/', { client })).text, 'proxy false')
  server.update({ ...pair, clientCa: authority.cert })
  assert.equal((await ask(port, '/', { client })).text, 'proxy true')
  server.update({ ...pair, clientCa: undefined })
  assert.equal((await ask(port, '/', { client })).text, 'proxy false')
})

test('HttpsServer answers a client without a certificate, although it asks for one', async (t) => {
  const { port } = await serve(t, { handler: tellClient, clientCa: authority.cert })
  assert.equal((await ask(port, '/')).text, 'undefined false')
})

test('HttpsServer keeps the connections of known clients, and closes others after an answer', async (t) => {
  const { port } = await serve(t, { clientCa: authority.cert, knowsClient })
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const connection = async (pair: typeof client | undefined) =>
    (await ask(port, '/', { client: pair, agent })).headers.connection
  assert.equal(await connection(undefined), 'close')
  assert.equal(await connection(client), 'keep-alive')
})

test('HttpsServer keeps all connections if it knows no client', async (t) => {
  const { port } = await serve(t)
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  assert.equal((await ask(port, '/', { agent })).headers.connection, 'keep-alive')
})

test('HttpsServer warns once of many connections that were closed for others', async (t) => {
  const { log, lines } = memoryLog('warn')
  const { port } = await serve(t, { log, limits: { peerConnections: 1, checkMs: 1 } })
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false } as const
  for (let round = 0; round < 20; round += 1) {
    const socket = connect(options)
    t.after(() => socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'secureConnect')
  }
  await ask(port, '/')
  while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(lines.length, 1)
  assert.equal(lines[0]?.msg, 'too many connections: closed the oldest idle ones')
})

test('HttpsServer says that a port is in use, and which variable chooses another', async (t) => {
  const { port } = await serve(t)
  const other = new HttpsServer({
    handler: sayHello,
    credentials: { ...pair, clientCa: undefined },
    log: createLogger('silent'),
  })
  await assert.rejects(other.listen({ port, address: '127.0.0.1' }), {
    message: `Cannot listen on port ${port}: another program uses it; choose another with LISTEN_PORT`,
  })
})

test('HttpsServer drains: a pending request is answered, and its connection closed', async (t) => {
  const begun = Promise.withResolvers<() => void>()
  const handler: RequestListener = (_request, response) => begun.resolve(() => response.end('done'))
  const { server, port } = await serve(t, { handler })
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const answer = ask(port, '/', { agent })
  const finish = await begun.promise
  const drained = server.drain()
  finish()
  const { text, headers } = await answer
  assert.equal(text, 'done')
  assert.equal(headers.connection, 'close')
  await drained
  await assert.rejects(ask(port, '/'), { code: 'ECONNREFUSED' })
})

test('HttpsServer that leaves ends each connection with its answer, and takes other ones', async (t) => {
  const { server, port } = await serve(t)
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const connectionOf = async () => (await ask(port, '/', { agent })).headers.connection
  assert.equal(await connectionOf(), 'keep-alive')
  server.leave()
  assert.deepEqual([await connectionOf(), await connectionOf()], ['close', 'close'])
})

test('HttpsServer waits no longer than its deadline for a request', async (t) => {
  const begun = Promise.withResolvers<void>()
  const { server, port } = await serve(t, { handler: () => begun.resolve() })
  const answer = assert.rejects(ask(port, '/'))
  await begun.promise
  await server.drain(1)
  await answer
})

test('HttpsServer serves a new certificate from the next connection on', async (t) => {
  const { server, port } = await serve(t)
  const renewed = await authority.issue({ commonName: 'renewed', dns: ['localhost'] })
  server.update({ ...renewed, clientCa: undefined })
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  assert.equal(socket.getPeerCertificate().subject.CN, 'renewed')
})

test('HttpsServer without credentials serves HTTP with the same limits, and drains', async (t) => {
  const limits = { connections: 4, peerConnections: 2 }
  const server = new HttpsServer({
    handler: sayHello,
    credentials: undefined,
    log: createLogger('silent'),
    limits,
  })
  const { port } = await server.listen({ port: 0, address: '127.0.0.1' })
  t.after(() => server.drain(0))
  const idle = Array.from({ length: 3 }, () => connectTcp({ port, host: '127.0.0.1' }))
  t.after(() => idle.forEach((socket) => void socket.destroy()))
  const [oldest] = idle
  assert.ok(oldest)
  oldest.on('error', () => {}).resume()
  await once(oldest, 'close')
  assert.equal((await ask(port, '/', { plain: true })).text, 'hello')
  await server.drain(0)
  await assert.rejects(ask(port, '/', { plain: true }), { code: 'ECONNREFUSED' })
})
