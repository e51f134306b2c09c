import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { readBody } from '#serving/https/body.ts'
import { BodyBudget } from '#serving/https/body-budget.ts'
import { StatusError } from '#serving/status.ts'

const MAX_BYTES = 8

/** A server that answers a body of up to 8 bytes with the same bytes, and an error with its code and message. */
async function serve(t: TestContext, prepare: (request: IncomingMessage) => void = () => {}) {
  const budget = new BodyBudget({ bytes: 100, peerBytes: 100 })
  const failed = Promise.withResolvers<unknown>()
  const server = createServer(async (incoming, response) => {
    prepare(incoming)
    try {
      response.end(
        await readBody({ req: incoming, res: response }, { maxBytes: MAX_BYTES, budget }),
      )
    } catch (error) {
      failed.resolve(error)
      response.shouldKeepAlive = false
      const [code, message] = error instanceof StatusError ? [error.code, error.message] : [500, '']
      response.writeHead(code).end(message)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address !== null && typeof address !== 'string')
  const { port } = address
  return { open: () => request({ port, method: 'POST', agent: false }), failed: failed.promise }
}

async function answerOf(sent: ReturnType<typeof request>) {
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  return [response.statusCode, text]
}

const TOO_LARGE = [413, 'Cannot read the body: it has more than 8 bytes']

for (const body of ['', 'x', '12345678', 'ü€']) {
  test(`readBody reads a body of ${Buffer.byteLength(body)} bytes`, async (t) => {
    const { open } = await serve(t)
    assert.deepEqual(await answerOf(open().end(body)), [200, body])
  })
}

test('readBody reads a body that is sent in pieces', async (t) => {
  const { open } = await serve(t)
  const sent = open()
  for (const piece of ['12', '', '345', '678']) sent.write(piece)
  assert.deepEqual(await answerOf(sent.end()), [200, '12345678'])
})

test('readBody refuses a body of one byte too many, and the client is answered', async (t) => {
  const { open } = await serve(t)
  assert.deepEqual(await answerOf(open().end('123456789')), TOO_LARGE)
})

test('readBody does not wait for the end of a body that is too long', async (t) => {
  const { open } = await serve(t)
  const sent = open()
  t.after(() => sent.destroy())
  sent.write('123456789')
  assert.deepEqual(await answerOf(sent), TOO_LARGE)
})

test('readBody counts bytes, whatever length the request declares', async (t) => {
  const { open } = await serve(t)
  const sent = open().setHeader('content-length', 1_000_000)
  t.after(() => sent.destroy())
  sent.write('123456789')
  assert.deepEqual(await answerOf(sent), TOO_LARGE)
})

test('readBody fails with 400 if the client closes the connection in the middle', async (t) => {
  const { open, failed } = await serve(t)
  const sent = open().setHeader('content-length', 8)
  sent.on('error', () => {})
  sent.write('1234', () => sent.destroy())
  const error = await failed
  assert.ok(error instanceof StatusError)
  assert.deepEqual(
    [error.code, error.message],
    [400, 'Cannot read the body: the client closed the connection'],
  )
})

test('readBody expects bytes: a request with an encoding is a defect of the caller', async (t) => {
  const { open, failed } = await serve(t, (incoming) => incoming.setEncoding('utf8'))
  open()
    .on('error', () => {})
    .end('1234')
  assert.ok((await failed) instanceof TypeError)
})
