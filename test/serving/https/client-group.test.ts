import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect as connectTcp, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import type { KeyPair } from '../../support/certificates.ts'
import { ask } from '../../support/https.ts'
import {
  answerLarge,
  authority,
  GET,
  GET_LARGE,
  knowsClient,
  serve,
  statusLine,
  WITHIN,
} from './local-server.ts'

const client = await authority.issue({ commonName: 'proxy', extendedKeyUsage: ['clientAuth'] })

/** Opens a TLS connection from an address of this machine. The server has accepted it when this returns. */
async function open(
  t: TestContext,
  port: number,
  { from = '127.0.0.1', pair }: { from?: string; pair?: KeyPair } = {},
): Promise<TLSSocket> {
  const tcp = connectTcp({ port, host: '127.0.0.1', localAddress: from })
  const socket = connect({ socket: tcp, rejectUnauthorized: false, ...pair })
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return socket
}

/** Resolves when a connection is closed, also by a reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

/** Whether the server still answers on a connection. */
async function isOpen(socket: TLSSocket): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket.once('data', () => resolve(true))
  socket.once('close', () => resolve(false))
  socket.write(GET)
  return await promise
}

test(
  'At the limit, the oldest idle connection of the address with the most makes room',
  WITHIN,
  async (t) => {
    const { port } = await serve(t, { limits: { connections: 4 } })
    const lone = await open(t, port, { from: '127.0.0.3' })
    const many = [
      await open(t, port, { from: '127.0.0.2' }),
      await open(t, port, { from: '127.0.0.2' }),
      await open(t, port, { from: '127.0.0.2' }),
    ] as const
    const gone = closed(many[0])
    many[0].resume()
    const newcomer = await open(t, port, { from: '127.0.0.4' })
    await gone
    for (const socket of [lone, many[1], many[2], newcomer]) {
      assert.equal(await isOpen(socket), true)
    }
  },
)

test('At the limit of an address, its own oldest idle connection makes room', WITHIN, async (t) => {
  const { port } = await serve(t, { limits: { peerConnections: 2 } })
  const first = await open(t, port)
  const second = await open(t, port)
  const other = await open(t, port, { from: '127.0.0.2' })
  const gone = closed(first)
  first.resume()
  const third = await open(t, port)
  await gone
  for (const socket of [second, third, other]) assert.equal(await isOpen(socket), true)
})

test('A connection that began no handshake makes room as well', WITHIN, async (t) => {
  const { port } = await serve(t, { limits: { peerConnections: 1 } })
  const silent = connectTcp({ port, host: '127.0.0.1' })
  t.after(() => silent.destroy())
  silent.resume()
  silent.on('error', () => {})
  await once(silent, 'connect')
  const gone = closed(silent)
  assert.equal((await ask(port, '/')).status, 200)
  await gone
})

test('No stranger takes the room of a known client', WITHIN, async (t) => {
  const { port } = await serve(t, {
    clientCa: authority.cert,
    knowsClient,
    limits: { connections: 1 },
  })
  const known = await open(t, port, { pair: client })
  // The server knows the client once it has answered it.
  assert.equal(await isOpen(known), true)
  await open(t, port, { from: '127.0.0.3' })
  await open(t, port, { from: '127.0.0.2' })
  assert.equal(await isOpen(known), true)
})

test(
  'Known clients have a limit of their own: the oldest idle one makes room',
  WITHIN,
  async (t) => {
    const { port } = await serve(t, {
      clientCa: authority.cert,
      knowsClient,
      limits: { connections: 1 },
    })
    const first = await open(t, port, { pair: client })
    const gone = closed(first)
    first.resume()
    const second = await open(t, port, { pair: client })
    await gone
    assert.equal(await isOpen(second), true)
  },
)

test('Known clients may have more than all strangers together', WITHIN, async (t) => {
  const { port } = await serve(t, {
    clientCa: authority.cert,
    knowsClient,
    limits: { connections: 1, known: { connections: 2, requests: 2 } },
  })
  const first = await open(t, port, { pair: client })
  // The server knows the client once it has answered it.
  assert.equal(await isOpen(first), true)
  const second = await open(t, port, { pair: client })
  for (const socket of [first, second]) assert.equal(await isOpen(socket), true)
  const stranger = await open(t, port, { from: '127.0.0.3' })
  const gone = closed(stranger)
  stranger.resume()
  await open(t, port, { from: '127.0.0.2' })
  await gone
})

test(
  'A connection whose request is being answered is not closed for another',
  WITHIN,
  async (t) => {
    const begun = Promise.withResolvers<() => void>()
    const handler: RequestListener = (_request, response) =>
      begun.resolve(() => response.end('done'))
    const { port } = await serve(t, { handler, limits: { connections: 1 } })
    const answer = ask(port, '/')
    const finish = await begun.promise
    await assert.rejects(ask(port, '/'), { code: 'ECONNRESET' })
    finish()
    assert.equal((await answer).text, 'done')
  },
)

test(
  'Requests of one address above its limit are refused, and those of others served',
  WITHIN,
  async (t) => {
    const begun = Promise.withResolvers<() => void>()
    const handler: RequestListener = ({ url }, response) => {
      if (url === '/slow') begun.resolve(() => response.end('late'))
      else response.end('hello')
    }
    const { port } = await serve(t, { handler, limits: { peerRequests: 1 } })
    const slow = ask(port, '/slow')
    const finish = await begun.promise
    assert.equal((await ask(port, '/')).status, 429)
    const other = await open(t, port, { from: '127.0.0.2' })
    other.write(GET)
    const [answer] = await once(other, 'data')
    assert.equal(statusLine(String(answer)), 'HTTP/1.1 200 OK')
    finish()
    assert.equal((await slow).text, 'late')
  },
)

test('A client that does not read its answer makes room for a request', WITHIN, async (t) => {
  const { handler, closed: readerClosed } = answerLarge()
  const { port } = await serve(t, { handler, limits: { requests: 1 } })
  const reader = await open(t, port, { from: '127.0.0.2' })
  reader.pause()
  reader.write(GET_LARGE)
  await once(reader, 'readable')
  assert.equal((await ask(port, '/')).status, 200)
  await readerClosed
})
