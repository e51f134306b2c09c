import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TYPES, VARIABLES, viewSnapshot } from '#metrics/user-metrics/snapshot-view.ts'
import { UnknownError } from '#metrics/user-metrics/view-type.ts'
import { jobCounts, snapshotOf } from '../../support/snapshots.ts'
import { batchJob, TAKEN_AT, waiting } from '../../support/waiting.ts'

/** The value of a variable or field, as the library reads it. */
function read(from: unknown, key: string): unknown {
  assert.ok(typeof from === 'object' && from !== null)
  return from instanceof Map ? from.get(key) : Reflect.get(from, key)
}

/** All fields of an object of this type. */
function fieldsOf(view: unknown, name: string) {
  const type = TYPES.find((candidate) => candidate.name === name)
  assert.ok(type)
  assert.ok(view instanceof type.ctor)
  return Object.fromEntries(Object.keys(type.fields).map((key) => [key, read(view, key)]))
}

function bigints(counts: object) {
  return Object.fromEntries(Object.entries(counts).map(([key, count]) => [key, BigInt(count)]))
}

const snapshot = snapshotOf()

test('nodes, cores and gpus have every count of the snapshot', () => {
  const view = viewSnapshot(snapshot)
  assert.deepEqual(fieldsOf(read(view, 'nodes'), 'Nodes'), bigints(snapshot.nodes))
  assert.deepEqual(fieldsOf(read(view, 'cores'), 'Resources'), bigints(snapshot.cores))
  assert.deepEqual(fieldsOf(read(view, 'gpus'), 'Resources'), bigints(snapshot.gpus))
})

test('jobs have every count of the snapshot, and Flux’s three sums', () => {
  const view = viewSnapshot(snapshot)
  assert.deepEqual(
    fieldsOf(read(view, 'jobs'), 'Jobs'),
    bigints({ ...jobCounts(300), pending: 906, running: 609, active: 1515 }),
  )
})

test('queues have the same counts, and whether they are started', () => {
  const stopped = new Map([['debug', { started: false, ranks: undefined }]])
  const queues = read(viewSnapshot(snapshotOf({ queues: stopped })), 'queues')
  const sums = (first: number) => ({
    pending: 3 * first + 6,
    running: 2 * first + 9,
    active: 5 * first + 15,
  })
  assert.deepEqual(fieldsOf(read(queues, 'batch'), 'Queue'), {
    ...bigints({ ...jobCounts(100), ...sums(100) }),
    started: true,
  })
  assert.deepEqual(fieldsOf(read(queues, 'debug'), 'Queue'), {
    ...bigints({ ...jobCounts(200), ...sums(200) }),
    started: false,
  })
})

test('a pending job has every field that Flux answers', () => {
  const job = batchJob({ id: 2n ** 60n, startEstimate: TAKEN_AT + 90 })
  const pending = read(viewSnapshot(snapshotOf(waiting([job]))), 'pending')
  assert.ok(Array.isArray(pending))
  assert.deepEqual(fieldsOf(pending[0], 'Job'), {
    id: 'ƒ3gDmDv6tjHH',
    state: 'SCHED',
    userid: 1000n,
    priority: 16n,
    queue: 'batch',
    tasks: 4n,
    nodes: 2n,
    cores: 8n,
    gpus: 0n,
    duration: 60,
    submitted: TAKEN_AT - 600,
    waited: 600,
    start: TAKEN_AT + 90,
  })
})

test('a pending job has no field that Flux leaves out', () => {
  const job = batchJob({
    priority: undefined,
    queue: undefined,
    ntasks: undefined,
    nnodes: undefined,
    ncores: undefined,
    // The clock of the broker may be ahead of ours.
    submittedAt: TAKEN_AT + 5,
  })
  const pending = read(viewSnapshot(snapshotOf(waiting([job]))), 'pending')
  assert.ok(Array.isArray(pending))
  const fields = fieldsOf(pending[0], 'Job')
  const absent = Object.keys(fields).filter((key) => fields[key] === undefined)
  assert.deepEqual(absent, ['priority', 'queue', 'tasks', 'nodes', 'cores', 'start'])
  assert.equal(fields.waited, 0)
})

test('reading a value that is not known throws the reason', () => {
  const reason = 'Flux hides jobs'
  const hidden = { kind: 'unknown', reason } as const
  const view = viewSnapshot(snapshotOf({ jobs: hidden, waiting: hidden }))
  const unknown = (error: unknown) => error instanceof UnknownError && error.message === reason
  for (const name of ['jobs', 'queues', 'pending']) assert.throws(() => read(view, name), unknown)
  assert.throws(() => read(read(view, 'size'), 'demand'), unknown)
})

test('every variable is defined, and has the same value each time', () => {
  const view = viewSnapshot(snapshot)
  for (const name of Object.keys(VARIABLES)) assert.ok(read(view, name), name)
  assert.equal(viewSnapshot(snapshot), view)
  assert.notEqual(viewSnapshot(snapshotOf()), view)
  assert.equal(read(view, 'pending'), read(view, 'pending'))
})
