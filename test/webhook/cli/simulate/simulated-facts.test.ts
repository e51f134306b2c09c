// Compares simulated facts with the facts that the real readers get through a broker, a socket, messages and the client.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Client } from '#flux/wire/client.ts'
import type { Facts } from '#reading/facts.ts'
import { InstanceReader } from '#reading/instance-reader.ts'
import { Instance } from '#simulation/instance.ts'
import { simulatedFacts } from '../../../../webhook/cli/simulate/simulated-facts.ts'
import { startBroker } from '../../../support/broker.ts'

const LIMITS = { timeoutMs: 10_000 }

async function readThroughBroker(t: TestContext, instance: Instance): Promise<Facts> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-facts-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'local')
  const broker = await startBroker({ path, instance, scheduler: 'fluxion' })
  t.after(() => broker.close())
  const client = await Client.connect(path, LIMITS)
  t.after(() => client.close())
  const reader = await InstanceReader.open(client, LIMITS, instance.hostPrefix)
  // The settings of the simulated Fluxion do not belong to the instance.
  return { ...(await reader.read(LIMITS)), fluxion: undefined }
}

/** The facts without their time and without what only people read, with drains in a fixed order. */
function timeless({ takenAt: _, tookMs: __, runningJobs: ___, drains, ...facts }: Facts) {
  return { ...facts, drains: drains.toSorted((a, b) => (a.reason < b.reason ? -1 : 1)) }
}

async function assertSame(t: TestContext, instance: Instance): Promise<void> {
  const expected = await readThroughBroker(t, instance)
  assert.deepEqual(timeless(simulatedFacts(instance, 1)), timeless(expected))
}

test('simulatedFacts reads an instance without jobs, some of its nodes up', async (t) => {
  await assertSame(t, new Instance({ maxSize: 8, up: 3 }))
})

test('simulatedFacts reads jobs that run, wait, are held, depend on others or have ended', async (t) => {
  const instance = new Instance({ maxSize: 8, up: 5, now: new Date(Date.now() - 60_000) })
  instance.submit({ cores: 3, duration: 5 })
  instance.submit({ nodes: 2, timeLimit: 3_600 })
  instance.submit({ nodes: 1, cores: 4, tasks: 1 })
  instance.submit({ nodes: 7 })
  instance.submit({ cores: 20, tasks: 10, urgency: 31 })
  instance.submit({ nodes: 1, urgency: 0 })
  instance.submit({ nodes: 1, dependency: 'after-success=ƒ1' })
  const canceled = instance.submit({ nodes: 1 })
  instance.cancel(canceled.id)
  instance.advance(60_000)
  await assertSame(t, instance)
})

test('simulatedFacts reads nodes that are drained, excluded, or lost under a job', async (t) => {
  const instance = new Instance({
    maxSize: 8,
    exclude: [7],
    lostPodCleanupMs: 25_000,
    now: new Date(Date.now() - 10_000),
  })
  instance.submit({ nodes: 6, timeLimit: 60 })
  instance.advance(10_000)
  instance.down(5)
  instance.drain([2, 3], 'broken fan')
  instance.drain([6])
  await assertSame(t, instance)
})

test('simulatedFacts reads queues with their own nodes, one of them stopped', async (t) => {
  const instance = new Instance({
    maxSize: 6,
    up: 4,
    queues: { batch: [0, 1, 2], debug: [3, 4, 5] },
  })
  instance.submit({ nodes: 1, queue: 'batch' })
  instance.submit({ nodes: 2, queue: 'debug' })
  const debug = instance.queue('debug')
  assert.ok(debug !== undefined)
  instance.setStarted(debug, false)
  await assertSame(t, instance)
})

test('simulatedFacts reads GPUs that jobs hold and request', async (t) => {
  const instance = new Instance({ maxSize: 4, up: 2, gpusPerNode: 2 })
  instance.submit({ gpus: 1, cores: 1 })
  instance.submit({ gpus: 4, cores: 4 })
  instance.submit({ nodes: 2 })
  await assertSame(t, instance)
})

test('simulatedFacts reads nodes of a bursted cluster, on which jobs run', async (t) => {
  const instance = new Instance({ maxSize: 4, up: 2, bursted: 3, gpusPerNode: 1 })
  instance.submit({ nodes: 1, timeLimit: 60 })
  instance.submit({ nodes: 3, timeLimit: 60 })
  instance.submit({ nodes: 4 })
  instance.drain([6], 'broken fan')
  await assertSame(t, instance)
})
