// Bodies that share a budget, over real connections from several addresses of this machine.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, createServer, request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { readBody } from '#serving/https/body.ts'
import { BodyBudget, type BodyLimits } from '#serving/https/body-budget.ts'
import { StatusError } from '#serving/status.ts'

/** Waits for something that another turn of the event loop brings. The test's time-out is its limit. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(1)
}

const KIB = 2 ** 10
const LIMITS = { bytes: 100 * KIB, peerBytes: 60 * KIB }

async function serve(t: TestContext, limits: BodyLimits = LIMITS) {
  const budget = new BodyBudget(limits)
  const answers: (() => void)[] = []
  const server = createServer(async (req, res) => {
    try {
      const body = await readBody({ req, res }, { maxBytes: 1000 * KIB, budget })
      if (req.url === '/hold') await new Promise<void>((resolve) => answers.push(resolve))
      res.end(String(body.length))
    } catch (error) {
      const code = error instanceof StatusError ? error.code : 500
      res.writeHead(code, { connection: 'close' }).end(String(error))
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address !== null && typeof address !== 'string')
  const { port } = address
  const open = (localAddress: string, path = '/') => {
    const options = { port, host: '127.0.0.1', path, method: 'POST', agent: false, localAddress }
    const sent = request(options).on('error', () => {})
    t.after(() => sent.destroy())
    return sent
  }
  /** A body that begins and never ends. It declares its length, as most clients do, or not. */
  const begin = async (localAddress: string, kib: number, declared?: number) => {
    const sent = open(localAddress)
    if (declared !== undefined) sent.setHeader('content-length', declared)
    const before = budget.bytes
    sent.write(Buffer.alloc(kib * KIB))
    await until(() => budget.bytes >= before + kib * KIB || sent.destroyed)
    return sent
  }
  return { budget, open, begin, answers }
}

async function answerOf(sent: ClientRequest): Promise<[number, string]> {
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  return [response.statusCode, text]
}

test('a budget counts what has come of bodies, not what they declare', async (t) => {
  const { budget, begin } = await serve(t)
  await begin('127.0.0.2', 10, 900 * KIB)
  assert.ok(budget.bytes >= 10 * KIB && budget.bytes <= 20 * KIB, String(budget.bytes))
})

test('a body is free again after its answer, and after its connection is closed', async (t) => {
  const { budget, open, begin } = await serve(t)
  assert.deepEqual(await answerOf(open('127.0.0.2').end(Buffer.alloc(20 * KIB))), [200, '20480'])
  await until(() => budget.bytes === 0)
  const sent = await begin('127.0.0.2', 20)
  sent.destroy()
  await until(() => budget.bytes === 0)
})

test('a body keeps its memory until its request is answered', async (t) => {
  const { budget, open, answers } = await serve(t)
  const held = open('127.0.0.2', '/hold').end(Buffer.alloc(20 * KIB))
  await until(() => answers.length === 1)
  assert.ok(budget.bytes >= 20 * KIB)
  answers[0]?.()
  assert.equal((await answerOf(held))[0], 200)
  await until(() => budget.bytes === 0)
})

test('a body over the budget is refused with 429, and takes nothing', async (t) => {
  const { budget, open, answers } = await serve(t)
  for (const address of ['127.0.0.2', '127.0.0.3']) {
    open(address, '/hold').end(Buffer.alloc(45 * KIB))
  }
  await until(() => answers.length === 2)
  const [code, text] = await answerOf(open('127.0.0.4').end(Buffer.alloc(30 * KIB)))
  assert.deepEqual(
    [code, text],
    [429, 'StatusError: Cannot read the body: the bodies of other requests take the memory for it'],
  )
  await until(() => budget.bytes <= 2 * 64 * KIB)
  for (const answer of answers) answer()
})

test('an address that has less displaces a slow body of the one that has most', async (t) => {
  const { open, begin } = await serve(t)
  const first = await begin('127.0.0.2', 25)
  const second = await begin('127.0.0.2', 25)
  const third = await begin('127.0.0.3', 40)
  assert.equal((await answerOf(open('127.0.0.4').end(Buffer.alloc(20 * KIB))))[0], 200)
  await until(() => first.destroyed)
  assert.deepEqual([second.destroyed, third.destroyed], [false, false])
})

test('an address that is at its own limit displaces bodies that have come for long, and only those', async (t) => {
  const { open, begin } = await serve(t)
  const slow = await begin('127.0.0.2', 50)
  assert.equal((await answerOf(open('127.0.0.2').end(Buffer.alloc(20 * KIB))))[0], 429)
  assert.equal(slow.destroyed, false)
  t.mock.method(performance, 'now', () => Number.MAX_SAFE_INTEGER)
  assert.equal((await answerOf(open('127.0.0.2').end(Buffer.alloc(20 * KIB))))[0], 200)
  await until(() => slow.destroyed)
})

test('sixty bodies that never end take no more than the budget', async (t) => {
  const { budget, open } = await serve(t)
  let most = 0
  for (let index = 0; index < 60; index += 1) {
    open(`127.0.0.${2 + (index % 5)}`).write(Buffer.alloc(49 * KIB))
  }
  for (let round = 0; round < 50; round += 1) {
    most = Math.max(most, budget.bytes)
    await setTimeout(1)
  }
  assert.ok(most > 0 && most <= LIMITS.bytes, String(most))
})

test('long bodies leave room for short ones, also of their own address', async (t) => {
  const { budget, open, answers } = await serve(t, { ...LIMITS, uncountedBytes: 10 * KIB })
  const hold = async (address: string, kib: number) => {
    const before = answers.length
    const sent = open(address, '/hold').end(Buffer.alloc(kib * KIB))
    await until(() => answers.length > before)
    return sent
  }
  const held = [await hold('127.0.0.2', 70), await hold('127.0.0.3', 50)]
  assert.equal(budget.bytes, 100 * KIB)
  for (const address of ['127.0.0.2', '127.0.0.3', '127.0.0.4']) {
    assert.deepEqual(await answerOf(open(address).end(Buffer.alloc(10 * KIB))), [200, '10240'])
    assert.equal((await answerOf(open(address).end(Buffer.alloc(20 * KIB))))[0], 429)
  }
  for (const answer of answers) answer()
  for (const sent of held) assert.equal((await answerOf(sent))[0], 200)
  await until(() => budget.bytes === 0)
})
