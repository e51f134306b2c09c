// Queues of a simulated broker: which of them Flux is asked about, and which ranks each has.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { getJobStats } from '#flux/calls/job-calls.ts'
import { ERRNO } from '#flux/errors.ts'
import { formatIdset, parseIdset } from '#flux/sets/idset.ts'
import { Client } from '#flux/wire/client.ts'
import { toJobs } from '#reading/jobs/job-counts.ts'
import { QueueReader, toQueueStates } from '#reading/jobs/queue-reader.ts'
import { Instance, type InstanceOptions } from '#simulation/instance.ts'
import { type FluxVersion, startBroker } from '../../support/broker.ts'
import { connectToCannedBroker } from '../../support/canned-broker.ts'
import { jobCounts } from '../../support/snapshots.ts'

const LIMITS = { timeoutMs: 10_000 }
const STATUS = 'job-manager.queue-status'

const QUEUES = { batch: [0, 1, 2], debug: [3] }
const PROPERTIES = new Map([
  ['batch', parseIdset('0-2')],
  ['debug', parseIdset('3')],
])

async function setUp(
  t: TestContext,
  options: Partial<InstanceOptions> = {},
  version: FluxVersion = '0.88.0',
) {
  const folder = await mkdtemp(join(tmpdir(), 'flux-'))
  const path = join(folder, 'local')
  const instance = new Instance({ maxSize: 4, ...options })
  const broker = await startBroker({ path, instance, version, role: 'guest' })
  const client = await Client.connect(path, LIMITS)
  t.after(async () => {
    client.close()
    await broker.close()
    await rm(folder, { recursive: true })
  })
  const reader = new QueueReader(client, version)
  const read = async () => reader.read(toJobs(await getJobStats(client, LIMITS)), LIMITS)
  const named = async () => (await read()).named
  return { instance, broker, read, named, calls: (topic: string) => broker.calls.get(topic) ?? 0 }
}

/** Whether queues are started, or why not, and their ranks as texts. */
function statesOf(reading: Parameters<typeof toQueueStates>[0]): unknown {
  const states = toQueueStates(reading, PROPERTIES)
  return Object.fromEntries(
    [...states].map(([name, { started, stop, ranks }]) => {
      assert.equal(started, stop === undefined)
      return [name, [stop?.by ?? true, ranks && formatIdset(ranks)]]
    }),
  )
}

test('QueueReader asks only about queues in which a job waits for resources', async (t) => {
  const { instance, read, calls } = await setUp(t, { queues: QUEUES })
  const debug = instance.queue('debug')
  assert.ok(debug)
  instance.setStarted(debug, false)
  assert.deepEqual(statesOf(await read()), { batch: [true, '0-2'], debug: [true, '3'] })
  assert.equal(calls(STATUS), 0)
  instance.submit({ nodes: 1, queue: 'debug' })
  assert.deepEqual(statesOf(await read()), { batch: [true, '0-2'], debug: ['queue', '3'] })
  assert.equal(calls(STATUS), 1)
  instance.setStarted(debug, true)
  instance.submit({ nodes: 1, queue: 'debug' })
  assert.deepEqual(statesOf(await read()), { batch: [true, '0-2'], debug: [true, '3'] })
})

test('QueueReader knows whether every job that waits for resources is in a stopped queue', async (t) => {
  const { instance, read } = await setUp(t, { queues: QUEUES })
  const [batch, debug] = [instance.queue('batch'), instance.queue('debug')]
  assert.ok(batch && debug)
  instance.setStarted(batch, false)
  instance.submit({ nodes: 1, queue: 'batch' })
  assert.equal((await read()).waiting.areAllStopped, true)
  instance.submit({ nodes: 1, queue: 'debug' })
  instance.submit({ nodes: 1, queue: 'debug' })
  assert.equal((await read()).waiting.areAllStopped, false)
  instance.setStarted(debug, false)
  assert.equal((await read()).waiting.areAllStopped, true)
})

test('QueueReader names the queues in which jobs wait, but not the anonymous one', async (t) => {
  const { instance, read } = await setUp(t, { queues: QUEUES })
  const debug = instance.queue('debug')
  assert.ok(debug)
  instance.setStarted(debug, false)
  const names = async () => {
    const { stopped, started } = (await read()).waiting
    return [[...stopped], [...started]]
  }
  assert.deepEqual(await names(), [[], []])
  instance.submit({ nodes: 1, queue: 'debug' })
  assert.deepEqual(await names(), [['debug'], []])
  for (let job = 0; job < 4; job += 1) instance.submit({ nodes: 3, queue: 'batch' })
  assert.deepEqual(await names(), [['debug'], ['batch']])

  const anonymous = await setUp(t)
  const queue = anonymous.instance.queue(undefined)
  assert.ok(queue)
  anonymous.instance.setStarted(queue, false)
  anonymous.instance.submit({ nodes: 1 })
  const { stopped, started, areAllStopped } = (await anonymous.read()).waiting
  assert.deepEqual([[...stopped], [...started], areAllStopped], [[], [], true])
})

test('QueueReader does not take jobs of no queue for stopped: they were submitted before there were queues', async (t) => {
  const { client } = await connectToCannedBroker(t, {
    'config.get': { queues: { batch: {} } },
    [STATUS]: { enable: true, start: false, stop_reason: '' },
  })
  const counts = (sched: number) => ({ ...jobCounts(0), sched })
  const readWith = (total: number) =>
    new QueueReader(client, '0.88.0').read(
      { kind: 'known', total: counts(total), queues: new Map([['batch', counts(2)]]) },
      LIMITS,
    )
  assert.equal((await readWith(2)).waiting.areAllStopped, true)
  assert.equal((await readWith(3)).waiting.areAllStopped, false)
})

test('QueueReader says nothing of queues in which no job waits: jobs that were listed may come back', async (t) => {
  const { read } = await setUp(t, { queues: QUEUES })
  assert.equal((await read()).waiting.areAllStopped, false)
})

test('QueueReader asks about the anonymous queue if there are no named queues', async (t) => {
  const { instance, read } = await setUp(t)
  const queue = instance.queue(undefined)
  assert.ok(queue)
  instance.setStarted(queue, false)
  instance.submit({ nodes: 1 })
  assert.deepEqual(statesOf(await read()), { '': ['queue', undefined] })
})

test('QueueReader reports a queue that was removed from the configuration as removed', async (t) => {
  const { instance, broker, read } = await setUp(t, { queues: QUEUES })
  instance.submit({ nodes: 3, queue: 'batch' })
  instance.submit({ nodes: 3, queue: 'batch' })
  broker.faults.fail(STATUS, ERRNO.EINVAL, "'batch' is not a valid queue")
  assert.deepEqual(statesOf(await read()), { batch: ['removal', '0-2'], debug: [true, '3'] })
})

test('QueueReader fails with any other error', async (t) => {
  const { instance, broker, read } = await setUp(t, { queues: QUEUES })
  instance.submit({ nodes: 3, queue: 'batch' })
  instance.submit({ nodes: 3, queue: 'batch' })
  broker.faults.fail(STATUS, ERRNO.EPROTO)
  await assert.rejects(read(), { code: 'FLUX_REMOTE', errnum: ERRNO.EPROTO })
})

test('QueueReader reads the configuration again once a minute', async (t) => {
  const { read, calls } = await setUp(t)
  const clock = t.mock.method(performance, 'now', () => 1_000_000)
  await read()
  clock.mock.mockImplementation(() => 1_060_000)
  await read()
  assert.equal(calls('config.get'), 1)
  clock.mock.mockImplementation(() => 1_060_001)
  await read()
  assert.equal(calls('config.get'), 2)
})

test('QueueReader knows queues that are configured and have had no job, which 0.51 does not count', async (t) => {
  const { instance, read, named } = await setUp(t, { queues: QUEUES }, '0.51.0')
  assert.deepEqual(await named(), ['batch', 'debug'])
  assert.deepEqual(statesOf(await read()), { batch: [true, '0-2'], debug: [true, '3'] })
  instance.submit({ nodes: 1, queue: 'debug' })
  assert.deepEqual(await named(), ['debug', 'batch'])
})

test('QueueReader reads the configuration again for a queue that is newer, but not for one that was removed', async (t) => {
  const queues = { batch: { requires: ['batch'] }, debug: { requires: ['debug'] } }
  const { client, asked } = await connectToCannedBroker(t, {
    'config.get': [{ queues: { batch: queues.batch } }, { queues }],
  })
  const reader = new QueueReader(client, '0.88.0')
  const read = async (...names: readonly string[]) => {
    const counts = new Map(names.map((name) => [name, { ...jobCounts(1), sched: 0 }]))
    const jobs = { kind: 'known', total: jobCounts(1), queues: counts } as const
    return statesOf(await reader.read(jobs, LIMITS))
  }
  assert.deepEqual(await read('batch'), { batch: [true, '0-2'] })
  assert.deepEqual(await read('batch', 'debug'), { batch: [true, '0-2'], debug: [true, '3'] })
  assert.equal(asked.length, 2)
  await read('batch', 'debug', 'removed')
  await read('batch', 'debug', 'removed')
  assert.equal(asked.length, 3)
})
