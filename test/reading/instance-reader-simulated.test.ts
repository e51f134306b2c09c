// One reading of a simulated instance through its broker, as guest and as owner.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { EMPTY_IDSET, formatIdset } from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'
import { Client } from '#flux/wire/client.ts'
import { METRICS } from '#metrics/catalog.ts'
import type { Facts, JobRequest } from '#reading/facts.ts'
import { InstanceReader } from '#reading/instance-reader.ts'
import { isUnknown } from '#reading/unknown.ts'
import { SnapshotMaker } from '#scaling/snapshot-maker.ts'
import { Instance as SimulatedInstance } from '#simulation/instance.ts'
import { type BrokerOptions, startBroker } from '../support/broker.ts'

const LIMITS = { timeoutMs: 10_000 }

/** A reading of a simulated instance through its broker. */
async function readSimulated(
  t: TestContext,
  instance: SimulatedInstance,
  options: Partial<BrokerOptions> = {},
): Promise<Facts> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-'))
  const path = join(folder, 'local')
  const broker = await startBroker({ path, instance, ...options })
  const client = await Client.connect(path, LIMITS)
  t.after(async () => {
    client.close()
    await broker.close()
    await rm(folder, { recursive: true })
  })
  const opened = await InstanceReader.open(client, LIMITS)
  return opened.read(LIMITS)
}

/** The fields of pending jobs that sizes depend on. */
function waitingOf({ waiting }: Facts): unknown {
  if (waiting.kind === 'unknown') return waiting.reason
  return waiting.jobs.map(({ state, priority, queue, nnodes, ncores, request }) => ({
    ...{ state, priority, queue, nnodes, ncores },
    request: request === undefined || isUnknown(request) ? request : partsOf(request),
  }))
}

/** The parts of a request, and the ranks that it accepts. */
function partsOf({ ways, ranks }: JobRequest): unknown {
  const parts = ways.flat().map(({ nodes, slots, cores, gpus }) => [nodes, slots, cores, gpus])
  return [...parts, ranks && formatIdset(ranks)]
}

/** Eight GPU nodes in two queues, of which four are up and busy, and one pending job of each kind. */
function busyInstance(): SimulatedInstance {
  const queues = { batch: [0, 1, 2, 3, 4, 5], debug: [6, 7] }
  const instance = new SimulatedInstance({ maxSize: 8, up: 4, gpusPerNode: 2, queues })
  for (let rank = 0; rank < 4; rank += 1)
    instance.submit({ nodes: 1, queue: 'batch', timeLimit: 60 })
  instance.submit({ nodes: 3, queue: 'batch' })
  instance.submit({ cores: 4, gpus: 2, queue: 'debug' })
  instance.submit({ cores: 1, queue: 'batch', urgency: 0 })
  instance.submit({ cores: 1, queue: 'batch', dependency: 'after-success=ƒ1' })
  return instance
}

for (const role of ['owner', 'guest'] as const) {
  test(`InstanceReader reads pending jobs as ${role}, and their GPUs only as the owner`, async (t) => {
    const facts = await readSimulated(t, busyInstance(), { role })
    const isOwner = role === 'owner'
    const common = { state: 'SCHED', priority: 16, nnodes: undefined, queue: 'batch', ncores: 1 }
    const oneCore = isOwner ? [[undefined, 1, 1, 0], '0-5'] : undefined
    assert.deepEqual(waitingOf(facts), [
      {
        ...common,
        nnodes: 3,
        ncores: undefined,
        request: isOwner ? [[3, 3, 1, 0], '0-5'] : undefined,
      },
      {
        ...common,
        queue: 'debug',
        ncores: 4,
        request: isOwner ? [[undefined, 2, 2, 1], '6-7'] : undefined,
      },
      { ...common, priority: 0, request: oneCore },
      { ...common, state: 'DEPEND', priority: undefined, request: oneCore },
    ])
    assert.ok(facts.waiting.kind === 'known')
    assert.equal(facts.waiting.total, 4)
    assert.equal(facts.waiting.unknownRequests !== undefined, !isOwner)
  })
}

test('InstanceReader reads jobspecs of jobs that could start as the owner, whether or not nodes have GPUs', async (t) => {
  const instance = new SimulatedInstance({ maxSize: 2, up: 1 })
  instance.submit({ nodes: 2 })
  instance.submit({ nodes: 1, urgency: 0 })
  const facts = await readSimulated(t, instance, { role: 'owner' })
  const common = { state: 'SCHED', queue: undefined, ncores: undefined }
  assert.deepEqual(waitingOf(facts), [
    { ...common, priority: 16, nnodes: 2, request: [[2, 2, 1, 0], undefined] },
    { ...common, priority: 0, nnodes: 1, request: undefined },
  ])
  assert.ok(facts.waiting.kind === 'known')
  assert.equal(facts.waiting.unknownRequests, undefined)
})

test('InstanceReader reads queues with their ranks, the job on the highest busy rank, and the quorum', async (t) => {
  const instance = busyInstance()
  const debug = instance.queue('debug')
  assert.ok(debug)
  instance.setStarted(debug, false)
  const facts = await readSimulated(t, instance, { quorum: 3 })
  const queues = [...facts.queues].map(([name, { started, ranks }]) => [
    name,
    started,
    ranks && formatIdset(ranks),
  ])
  assert.deepEqual(queues, [
    ['batch', true, '0-5'],
    ['debug', false, '6-7'],
  ])
  assert.equal(facts.quorum, 3)
  const { highestJob } = facts
  assert.ok(highestJob)
  assert.equal(formatIdset(highestJob.ranks), '3')
  assert.equal(highestJob.expiration, instance.now / 1000 + 60)
})

test('InstanceReader reads drains with their reasons, and the offline ranks', async (t) => {
  const instance = new SimulatedInstance({ maxSize: 8, up: 4 })
  instance.drain([1, 2], 'maintenance')
  instance.drain([3])
  const { drains, offline, torpid, nodes } = await readSimulated(t, instance)
  assert.deepEqual(
    drains.map(({ ranks, reason }) => [formatIdset(ranks), reason]),
    [
      ['3', ''],
      ['1-2', 'maintenance'],
    ],
  )
  assert.deepEqual([formatIdset(offline), formatIdset(torpid)], ['4-7', ''])
  assert.deepEqual([nodes.up, nodes.down, nodes.drained], [1, 7, 3])
})

test('InstanceReader reads the allocation of a rank that left, and that the rank is offline', async (t) => {
  const instance = new SimulatedInstance({ maxSize: 4, lostPodCleanupMs: 25_000 })
  for (let rank = 0; rank < 4; rank += 1) instance.submit({ nodes: 1 })
  instance.down(3)
  const { allocated, offline, highestJob } = await readSimulated(t, instance)
  assert.deepEqual([formatIdset(ranksOf(allocated)), formatIdset(offline)], ['0-3', '3'])
  assert.equal(highestJob && formatIdset(highestJob.ranks), '2')
})

test('InstanceReader reads the jobs that Fluxion refused, and the settings of Fluxion', async (t) => {
  const instance = new SimulatedInstance({ maxSize: 4, up: 2, refusesMoreThanUp: true })
  instance.submit({ nodes: 3 })
  const config = { 'sched-fluxion-resource': { 'match-policy': 'lonode' } }
  const { failed, fluxion } = await readSimulated(t, instance, { scheduler: 'fluxion', config })
  assert.deepEqual(
    (isUnknown(failed) ? undefined : failed)?.map(({ exceptionType, exceptionNote }) => [
      exceptionType,
      exceptionNote,
    ]),
    [['alloc', 'alloc denied due to type="unsatisfiable"']],
  )
  const settings = { queuePolicy: 'fcfs', matchPolicy: 'lonode', pruneFilters: 'ALL:core,ALL:node' }
  assert.deepEqual(fluxion, settings)
})

test('InstanceReader reads no settings of Fluxion if another scheduler runs', async (t) => {
  const { fluxion, failed } = await readSimulated(t, new SimulatedInstance({ maxSize: 4 }))
  assert.equal(fluxion, undefined)
  assert.deepEqual(failed, [])
})

test('InstanceReader as a guest in private mode reports jobs, and what follows from them, as unknown', async (t) => {
  const options = { role: 'guest', privateMode: true } as const
  const facts = await readSimulated(t, busyInstance(), options)
  assert.match(
    `${waitingOf(facts)}`,
    /^Flux hides jobs from the sidecar, which is a guest \(access\.private-mode\): /,
  )
  assert.equal(facts.jobs.kind, 'unknown')
  assert.deepEqual([facts.queues.size, facts.highestJob], [0, undefined])
  assert.deepEqual(facts.failed, facts.waiting)
  assert.equal(facts.nodes.allocated, 4)
})

test('InstanceReader as the owner in private mode reads everything', async (t) => {
  const facts = await readSimulated(t, busyInstance(), { privateMode: true })
  assert.equal(facts.jobs.kind, 'known')
  assert.equal(facts.waiting.kind, 'known')
})

test('InstanceReader counts 0 jobs in a queue that is configured and was never used, in every release', async (t) => {
  for (const version of ['0.51.0', '0.58.0', '0.88.0'] as const) {
    const queues = { batch: [0, 1], 'gpu+big': [2, 3] }
    const instance = new SimulatedInstance({ maxSize: 4, queues })
    instance.submit({ nodes: 1, queue: 'batch' })
    const { jobs, queues: states } = await readSimulated(t, instance, { version })
    assert.ok(jobs.kind === 'known')
    assert.deepEqual([...jobs.queues.keys()].sort(), ['batch', 'gpu+big'])
    assert.deepEqual([jobs.queues.get('batch')?.run, jobs.queues.get('gpu+big')?.run], [1, 0])
    assert.equal(formatIdset(states.get('gpu+big')?.ranks ?? EMPTY_IDSET), '2-3')
  }
})

test('InstanceReader leaves out excluded ranks: they count in nothing, and jobs are placed around them', async (t) => {
  const exclude = [0, 5]
  for (const [version, scheduler] of [
    ['0.51.0', 'sched-simple'],
    ['0.51.0', 'fluxion'],
    ['0.88.0', 'sched-simple'],
  ] as const) {
    const instance = new SimulatedInstance({ maxSize: 8, up: 4, exclude })
    for (const nodes of [3, 3, 9]) instance.submit({ nodes })
    const facts = await readSimulated(t, instance, { version, scheduler })
    assert.deepEqual([facts.nodes.total, facts.nodes.up, facts.nodes.allocated], [6, 3, 3])
    const { snapshot } = new SnapshotMaker({ drains: undefined }).make(facts, 0)
    const value = (name: string) => METRICS.get(name)?.value(snapshot, {})
    assert.equal(value('node_desired_count'), 8)
    assert.equal(value('node_floor_count'), 4)
    assert.equal(value('job_infeasible_count'), 1)
  }
})
