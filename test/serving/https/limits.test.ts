import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { RequestListener } from 'node:http'
import { Agent } from 'node:https'
import { type TestContext, test } from 'node:test'
import { ask } from '../../support/https.ts'
import {
  answerLarge,
  GET,
  GET_LARGE,
  LARGE,
  raw,
  sendUnread,
  serve,
  WITHIN,
} from './local-server.ts'

/** Long enough for a request on a busy machine. */
const OVERDUE = { answerMs: 200, requests: 1 }

test(
  'HttpsServer closes a connection whose client does not read the answer, and accepts another request',
  WITHIN,
  async (t) => {
    const { handler, closed } = answerLarge()
    const { port } = await serve(t, { handler, limits: OVERDUE })
    await sendUnread(t, port, GET_LARGE)
    await closed
    assert.equal((await ask(port, '/')).status, 200)
  },
)

test(
  'HttpsServer closes a connection whose client stops in the middle of an answer',
  WITHIN,
  async (t) => {
    const { handler, closed } = answerLarge()
    const { port } = await serve(t, { handler, limits: OVERDUE })
    const socket = await sendUnread(t, port, GET_LARGE)
    let length = 0
    socket.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > LARGE.length / 4) socket.pause()
    })
    await closed
    assert.equal((await ask(port, '/')).status, 200)
  },
)

test('HttpsServer closes a connection whose request has no answer', WITHIN, async (t) => {
  const { port } = await serve(t, { handler: () => {}, limits: OVERDUE })
  await assert.rejects(ask(port, '/'), { code: 'ECONNRESET' })
})

test(
  'HttpsServer closes a connection whose client takes its answer too slowly',
  WITHIN,
  async (t) => {
    const { handler, closed } = answerLarge()
    const { port } = await serve(t, { handler, limits: OVERDUE })
    const socket = await sendUnread(t, port, GET_LARGE)
    socket.pause()
    const timer = setInterval(() => socket.read(1024), 20)
    t.after(() => clearInterval(timer))
    await closed
  },
)

/** Counts the requests that Node parses: their memory is free only later. */
function countParsed(t: TestContext): () => number {
  let parsed = 0
  const count = () => {
    parsed += 1
  }
  subscribe('http.server.request.start', count)
  t.after(() => unsubscribe('http.server.request.start', count))
  return () => parsed
}

test('HttpsServer closes a connection that sends more requests ahead than any client needs', async (t) => {
  const parsed = countParsed(t)
  let served = 0
  const handler: RequestListener = () => {
    served += 1
  }
  const { port } = await serve(t, { handler, limits: { pipelined: 3 } })
  assert.equal(await raw(port, GET.repeat(100)), '')
  assert.deepEqual([served, parsed()], [3, 4])
})

test('HttpsServer counts requests that expect something as it counts others', async (t) => {
  const { port } = await serve(t, { knowsClient: () => false })
  const expecting = GET.replace('\r\n\r\n', '\r\nExpect: x\r\n\r\n')
  assert.notEqual(expecting, GET)
  assert.equal((await raw(port, expecting.repeat(100))).split('HTTP/1.1').length - 1, 1)
})

test('HttpsServer answers the first request of a stranger, and reads no other', async (t) => {
  const parsed = countParsed(t)
  const { port } = await serve(t, { knowsClient: () => false })
  assert.equal((await raw(port, GET.repeat(100))).split('hello').length - 1, 1)
  assert.equal(parsed(), 2)
})

test('HttpsServer keeps an idle connection longer than a request may stall', WITHIN, async (t) => {
  const { handler, closed } = answerLarge()
  const { port } = await serve(t, { handler, limits: { answerMs: OVERDUE.answerMs } })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const { text } = await ask(port, '/', { agent })
  await sendUnread(t, port, GET_LARGE)
  await closed
  assert.equal((await ask(port, '/', { agent })).text, text)
})
