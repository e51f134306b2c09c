import assert from 'node:assert/strict'
import { Agent } from 'node:https'
import { test } from 'node:test'
import { ask } from '../../support/https.ts'
import { answerLarge, GET_LARGE, LARGE, sendUnread, serve, WITHIN } from './local-server.ts'

/** Long enough for a request on a busy machine. */
const STALL = { stallMs: 200, concurrentRequests: 1 }

test(
  'HttpsServer closes a connection whose client does not read the answer, and accepts another request',
  WITHIN,
  async (t) => {
    const { handler, closed } = answerLarge()
    const { port } = await serve(t, { handler, limits: STALL })
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
    const { port } = await serve(t, { handler, limits: STALL })
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
  const { port } = await serve(t, { handler: () => {}, limits: STALL })
  await assert.rejects(ask(port, '/'), { code: 'ECONNRESET' })
})

test('HttpsServer keeps an idle connection longer than a request may stall', WITHIN, async (t) => {
  const { handler, closed } = answerLarge()
  const { port } = await serve(t, { handler, limits: { stallMs: STALL.stallMs } })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const { text } = await ask(port, '/', { agent })
  await sendUnread(t, port, GET_LARGE)
  await closed
  assert.equal((await ask(port, '/', { agent })).text, text)
})
