import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { test } from 'node:test'
import { createAuthority } from '../../support/certificates.ts'
import { ask } from '../../support/https.ts'
import { authority, GET, pair, raw, serve, UPGRADE } from './local-server.ts'

test('HttpsServer stops counting requests whose connection is closed before their answers', async (t) => {
  const handler: RequestListener = (_request, response) => {
    setImmediate(() => response.end('late'))
  }
  const { port } = await serve(t, { handler, limits: { requests: 2 } })
  await raw(port, GET.repeat(3) + UPGRADE)
  assert.equal((await ask(port, '/')).status, 200)
})

test('HttpsServer waits no longer than its deadline for a client that is in its handshake', async (t) => {
  const { server, port } = await serve(t)
  const socket = connectTcp(port, '127.0.0.1')
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  await server.drain(1)
})

test('HttpsServer answers a pending request when the client CA changes, then closes its connection', async (t) => {
  const begun = Promise.withResolvers<() => void>()
  const handler: RequestListener = (_request, response) => {
    response.write('first ')
    begun.resolve(() => response.end('last'))
  }
  const { server, port } = await serve(t, { handler, clientCa: authority.cert })
  const answer = raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const finish = await begun.promise
  server.update({ ...pair, clientCa: (await createAuthority('other')).cert })
  finish()
  const text = await answer
  assert.match(text, /first /)
  assert.match(text, /last/)
})
