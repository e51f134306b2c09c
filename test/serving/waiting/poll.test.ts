import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Poll } from '#serving/waiting/poll.ts'

const INTERVAL_MS = 5_000
const PAUSE_CAP_MS = 10_000
const LIMITS = { intervalMs: INTERVAL_MS, pauseCapMs: PAUSE_CAP_MS }

/** A poll over mocked timers; `succeed` decides how the next attempts end. */
async function poll(t: TestContext, { random = 0.5 }: { readonly random?: number } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const attempts = { count: 0, succeed: true }
  const task = async () => {
    attempts.count += 1
    return attempts.succeed
  }
  const polled = new Poll({ ...LIMITS, task, random: () => random })
  t.after(() => polled.close())
  const after = async (ms: number) => {
    t.mock.timers.tick(ms)
    // The attempt ends after one or two microtasks.
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
    return attempts.count
  }
  return { polled, attempts, after }
}

test('Poll calls the task at once and then at the interval', async (t) => {
  const { polled, attempts, after } = await poll(t)
  await polled.start()
  assert.equal(attempts.count, 1)
  assert.equal(await after(INTERVAL_MS - 1), 1)
  assert.equal(await after(1), 2)
  assert.equal(await after(INTERVAL_MS), 3)
})

test('Poll tries again soon, and then less and less often, at most every 10 s', async (t) => {
  const { polled, attempts, after } = await poll(t, { random: 1 - Number.EPSILON })
  attempts.succeed = false
  await polled.start()
  const pauses = [250, 500, 1_000, 2_000, 4_000, 8_000, PAUSE_CAP_MS, PAUSE_CAP_MS]
  for (const [index, pause] of pauses.entries()) {
    assert.equal(await after(pause - 1), index + 1)
    assert.equal(await after(1), index + 2)
  }
})

test('Poll waits a random part of the pause', async (t) => {
  const { polled, attempts, after } = await poll(t, { random: 0.1 })
  attempts.succeed = false
  await polled.start()
  assert.equal(await after(24), 1)
  assert.equal(await after(1), 2)
})

test('Poll returns to the interval after a success', async (t) => {
  const { polled, attempts, after } = await poll(t)
  attempts.succeed = false
  await polled.start()
  attempts.succeed = true
  assert.equal(await after(125), 2)
  assert.equal(await after(INTERVAL_MS - 1), 2)
  assert.equal(await after(1), 3)
})

test('Poll stops when it is closed', async (t) => {
  const { polled, attempts, after } = await poll(t)
  await polled.start()
  polled.close()
  assert.equal(await after(10 * INTERVAL_MS), 1)
  assert.equal(attempts.succeed, true)
})

test('Poll stops when it is closed during an attempt', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  let count = 0
  const task = () => {
    count += 1
    return promise
  }
  const polled = new Poll({ ...LIMITS, task })
  const started = polled.start()
  polled.close()
  resolve(true)
  await started
  t.mock.timers.tick(10 * INTERVAL_MS)
  assert.equal(count, 1)
})

const DEFECTS: Readonly<Record<string, () => Promise<boolean>>> = {
  rejects: () => Promise.reject(new Error('a defect')),
  throws: () => {
    throw new Error('a defect')
  },
}

for (const [does, fail] of Object.entries(DEFECTS)) {
  test(`Poll goes on after a task that ${does}, and passes the error on`, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let count = 0
    const task = () => {
      count += 1
      return count === 1 ? fail() : Promise.resolve(true)
    }
    const polled = new Poll({ ...LIMITS, task, random: () => 0.5 })
    t.after(() => polled.close())
    await assert.rejects(polled.start(), { message: 'a defect' })
    t.mock.timers.tick(125)
    assert.equal(count, 2)
  })
}
