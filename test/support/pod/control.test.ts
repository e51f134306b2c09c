// The control API over HTTP.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { Instance } from '#simulation/instance.ts'
import { createControl } from './control.ts'

const NOW = new Date('2026-11-24T00:00:00Z')

/** When a job entered each state: at once. */
function times(...states: readonly string[]) {
  return Object.fromEntries(states.map((state) => [state, NOW.getTime()]))
}

const STARTED = times('NEW', 'DEPEND', 'PRIORITY', 'SCHED', 'RUN')

async function setUp(t: TestContext) {
  const instance = new Instance({ maxSize: 2, now: NOW })
  const logged: string[] = []
  const control = createControl({
    instance,
    log: (line) => logged.push(line),
    kill: () => logged.push('kill'),
    shutdown: () => logged.push('shutdown'),
  })
  control.listen(0)
  await once(control, 'listening')
  t.after(() => control.close())
  const address = control.address()
  assert.ok(typeof address === 'object' && address !== null)
  const call = async (line: string, body?: object) => {
    const [method = '', path = ''] = line.split(' ')
    const response = await fetch(`http://127.0.0.1:${address.port}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    // The API server would post to a connection that is ended at this moment, and would not post again.
    assert.equal(response.headers.get('connection'), 'close')
    const answer: unknown = await response.json()
    return { code: response.status, answer }
  }
  return { instance, logged, call }
}

test('the control API submits a job and returns it', async (t) => {
  const { call } = await setUp(t)
  const job = { id: '1', state: 'RUN', ranks: [0], times: STARTED }
  assert.deepEqual(await call('POST /jobs', { nodes: 1 }), { code: 200, answer: job })
  assert.deepEqual(await call('GET /state'), {
    code: 200,
    answer: { maxSize: 2, up: [0, 1], drained: [], jobs: [job], inactive: 0 },
  })
})

test('the control API finishes and cancels jobs', async (t) => {
  const { instance, call } = await setUp(t)
  await call('POST /jobs', { nodes: 1 })
  await call('POST /jobs', { nodes: 1 })
  await call('POST /jobs/1/finish', { result: 'failed' })
  await call('POST /jobs/cancel-all')
  assert.deepEqual(
    [...instance.jobs.values()].map(({ result }) => result),
    ['failed', 'canceled'],
  )
})

test('the control API returns one job', async (t) => {
  const { call } = await setUp(t)
  await call('POST /jobs', { nodes: 2 })
  assert.deepEqual(await call('GET /jobs/1'), {
    code: 200,
    answer: { id: '1', state: 'RUN', ranks: [0, 1], times: STARTED },
  })
  assert.deepEqual(await call('GET /jobs/2'), {
    code: 400,
    answer: { error: 'Cannot find job 2' },
  })
})

test('the control API returns the history of nodes and jobs', async (t) => {
  const { call } = await setUp(t)
  await call('POST /jobs', { nodes: 2 })
  await call('POST /down', { ranks: '1' })
  await call('POST /up', { ranks: '0-1' })
  await call('POST /drain', { rank: 1, reason: 'bad DIMM' })
  assert.deepEqual((await call('GET /history')).answer, {
    nodes: [
      { name: 'online', ranks: [0, 1] },
      { name: 'offline', ranks: [1] },
      { name: 'online', ranks: [1] },
      { name: 'drain', ranks: [1], reason: 'bad DIMM' },
    ],
    jobs: [
      {
        id: '1',
        state: 'INACTIVE',
        result: 'failed',
        ranks: [0, 1],
        times: { ...STARTED, ...times('CLEANUP', 'INACTIVE') },
        note: 'node failure on flux-sample-1 (rank 1)',
      },
    ],
  })
})

test('the control API returns the reason for a refused request', async (t) => {
  const { call } = await setUp(t)
  assert.deepEqual(await call('POST /jobs', { queue: 'batch' }), {
    code: 400,
    answer: { error: 'Cannot submit job: there is no queue "batch"' },
  })
  assert.equal((await call('POST /nothing')).code, 404)
})

test('the control API ends the broker', async (t) => {
  const { logged, call } = await setUp(t)
  await call('POST /kill')
  await call('POST /shutdown')
  assert.deepEqual(logged, ['POST /kill {}', 'kill', 'POST /shutdown {}', 'shutdown'])
})
