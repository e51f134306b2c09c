import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import { ask } from '../../support/https.ts'
import {
  answerLarge,
  echo,
  GET_LARGE,
  raw,
  sendUnread,
  serve,
  statusLine,
  UPGRADE,
  WITHIN,
} from './local-server.ts'

test('HttpsServer refuses an upgrade', async (t) => {
  const { port } = await serve(t)
  const answer = await raw(
    port,
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  assert.equal(statusLine(answer), 'HTTP/1.1 400 BadRequest')
  assert.match(answer, /"kind":"Status"/)
})

test('HttpsServer refuses CONNECT', async (t) => {
  const { port } = await serve(t)
  const answer = await raw(port, 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.equal(statusLine(answer), 'HTTP/1.1 400 BadRequest')
})

test('HttpsServer answers 431 if the headers are too large', async (t) => {
  const { port } = await serve(t)
  const answer = await raw(
    port,
    `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`,
  )
  assert.equal(statusLine(answer), 'HTTP/1.1 431 BadRequest')
})

test('HttpsServer answers 408 if the headers are not complete in time', async (t) => {
  const { port } = await serve(t, { limits: { headersMs: 20, requestMs: 20 } })
  const answer = await raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n')
  assert.equal(statusLine(answer), 'HTTP/1.1 408 Timeout')
})

test('HttpsServer answers 400 to bytes that are not HTTP', async (t) => {
  const { port } = await serve(t)
  const answer = await raw(port, '\x12\x00\xee\xff nonsense\r\n\r\n')
  assert.equal(statusLine(answer), 'HTTP/1.1 400 BadRequest')
  assert.match(answer, /"Cannot read the request: it is not HTTP\/1.1 \(HPE_INVALID_METHOD\)"/)
  assert.equal((await ask(port, '/')).text, 'hello')
})

test('HttpsServer answers 408 if the body is not complete in time', async (t) => {
  const limits = { headersMs: 20, requestMs: 20 }
  const { port } = await serve(t, { handler: echo, readsBodies: true, limits })
  const answer = await raw(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf')
  assert.equal(statusLine(answer), 'HTTP/1.1 408 Timeout')
})

test('HttpsServer answers 429 above its limit, without Retry-After, and still answers health', async (t) => {
  const held: (() => void)[] = []
  const bothHeld = Promise.withResolvers<void>()
  const handler: RequestListener = (request, response) => {
    if (request.url === '/livez') response.end('ok')
    else if (held.push(() => response.end('late')) === 2) bothHeld.resolve()
  }
  const { port } = await serve(t, { handler, limits: { requests: 2 } })
  const slow = [ask(port, '/slow'), ask(port, '/slow')]
  await bothHeld.promise
  const refused = await ask(port, '/')
  assert.equal(refused.status, 429)
  assert.equal(refused.headers['retry-after'], undefined)
  assert.equal(JSON.parse(refused.text).reason, 'TooManyRequests')
  assert.equal((await ask(port, '/livez')).status, 200)
  for (const release of held) release()
  assert.deepEqual(
    (await Promise.all(slow)).map(({ text }) => text),
    ['late', 'late'],
  )
})

test(
  'HttpsServer closes a connection that it refuses, even if the client does not read the earlier answers',
  WITHIN,
  async (t) => {
    const { handler, closed } = answerLarge()
    const { port } = await serve(t, { handler, limits: { answerMs: 50 } })
    await sendUnread(t, port, GET_LARGE + UPGRADE)
    await closed
  },
)
