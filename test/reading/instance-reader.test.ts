import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ERRNO, FluxError } from '#flux/errors.ts'
import { formatIdset } from '#flux/sets/idset.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import type { Facts } from '#reading/facts.ts'
import { InstanceReader } from '#reading/instance-reader.ts'
import { type Answer, connectToCannedBroker } from '../support/canned-broker.ts'
import { recordedAnswer } from '../support/recordings.ts'

const LIMITS = { timeoutMs: 10_000 }

/** The payload of the answer in a recording, e.g. `0.88.0/job-stats`. */
function recorded(recording: string, topic: string): JsonObject {
  const [version = '', name = ''] = recording.split('/')
  return recordedAnswer(version, name, topic)
}

const RUN = { state: 'run', duration: 1 }

/** Answers as in the recordings `<prefix>resource-sched-status` and the like. */
function recordedAnswers(prefix: string): Record<string, Answer> {
  return {
    'attr.get': [
      { value: prefix.split('/')[0]?.split('-')[0] ?? '', flags: 1 },
      { value: '2', flags: 1 },
    ],
    'state-machine.get': RUN,
    'resource.sched-status': recorded(`${prefix}resource-sched-status`, 'resource.sched-status'),
    'resource.status': recorded(`${prefix}resource-status`, 'resource.status'),
    'job-list.job-stats': recorded('0.88.0/job-stats', 'job-list.job-stats'),
    // Pending jobs first, then failed and running ones.
    'job-list.list': [recorded('0.88.0/job-list-pending-union', 'job-list.list'), { jobs: [] }],
    'job-manager.queue-status': recorded('0.88.0/queue-status-batch', 'job-manager.queue-status'),
    'job-manager.getattr': ERRNO.EPERM,
    'config.get': recorded('0.88.0/config-get', 'config.get'),
  }
}

async function open(t: TestContext, answers: Record<string, Answer>) {
  const broker = await connectToCannedBroker(t, answers)
  return { broker, instance: await InstanceReader.open(broker.client, LIMITS) }
}

async function read(t: TestContext, answers: Record<string, Answer>): Promise<Facts> {
  const { instance } = await open(t, answers)
  return instance.read(LIMITS)
}

/**
 * The counts of `flux resource list`. The first two nodes of 0.88.0 have no free core but free GPUs, so they are free. Ranks
 * that were never started are down.
 */
const CASES = [
  {
    prefix: '0.88.0/',
    nodes: { total: 4, up: 4, down: 0, allocated: 4, free: 4, idle: 0, drained: 0 },
    cores: { total: 32, up: 32, allocated: 20, free: 12 },
    gpus: { total: 8, up: 8, allocated: 2, free: 6 },
  },
  {
    prefix: '0.88.0-fluxion/mc-4of10-idle-',
    nodes: { total: 10, up: 4, down: 6, allocated: 0, free: 4, idle: 4, drained: 0 },
    cores: { total: 20, up: 8, allocated: 0, free: 8 },
    gpus: { total: 0, up: 0, allocated: 0, free: 0 },
  },
] as const

for (const { prefix, ...expected } of CASES) {
  test(`InstanceReader reads nodes, cores and GPUs as recorded in ${prefix}*`, async (t) => {
    const { nodes, cores, gpus } = await read(t, recordedAnswers(prefix))
    assert.deepEqual({ nodes, cores, gpus }, expected)
  })
}

test('InstanceReader reads jobs as `flux jobs --stats-only` prints them, by queue', async (t) => {
  const answers = recordedAnswers('0.88.0/')
  const { jobs } = await read(t, {
    ...answers,
    'job-list.job-stats': recorded('0.88.0/jobs-stats-only-cli', 'job-list.job-stats'),
  })
  assert.equal(jobs.kind, 'known')
  assert.deepEqual(jobs.total, {
    new: 0,
    depend: 1,
    priority: 0,
    sched: 6,
    run: 3,
    cleanup: 0,
    inactive: 6,
    successful: 2,
    failed: 2,
    canceled: 1,
    timeout: 1,
  })
  assert.deepEqual([...jobs.queues.keys()].sort(), ['batch', 'debug'])
  assert.equal(jobs.queues.get('debug')?.sched, 1)
})

test('InstanceReader counts jobs only when job-list knows them: it has just been started, and lists none before', async (t) => {
  const answers = recordedAnswers('0.88.0/')
  const counts = recorded('0.88.0/job-stats', 'job-list.job-stats')
  const none = { depend: 0, priority: 0, sched: 0, run: 0, cleanup: 0, inactive: 0, total: 0 }
  let knowsJobs = false
  const { jobs } = await read(t, {
    ...answers,
    'job-list.job-stats': () => (knowsJobs ? counts : { ...counts, job_states: none, queues: [] }),
    'job-list.list': () => {
      knowsJobs = true
      return { jobs: [] }
    },
  })
  assert.equal(jobs.kind, 'known')
  assert.equal(jobs.total.sched, 6)
  assert.equal(jobs.queues.size, 2)
})

test('InstanceReader remembers an ENOSYS and asks the scheduler instead, as with 0.51', async (t) => {
  const { broker, instance } = await open(t, {
    ...recordedAnswers('0.88.0/'),
    'attr.get': [
      { value: '0.51.0', flags: 1 },
      { value: '0-1', flags: 1 },
    ],
    'resource.sched-status': ERRNO.ENOSYS,
    'sched.resource-status': recorded('0.51.0/sched-resource-status', 'sched.resource-status'),
    'resource.status': recorded('0.51.0/resource-status', 'resource.status'),
    'job-list.job-stats': recorded('0.51.0/job-stats', 'job-list.job-stats'),
  })
  await instance.read(LIMITS)
  await instance.read(LIMITS)
  const asked = broker.asked.filter((topic) => topic === 'resource.sched-status')
  assert.equal(asked.length, 1)
})

test('InstanceReader asks the scheduler for one reading only, if the resource module of a later release is being reloaded', async (t) => {
  const { broker, instance } = await open(t, {
    ...recordedAnswers('0.88.0/'),
    'resource.sched-status': [
      ERRNO.ENOSYS,
      recorded('0.88.0/resource-sched-status', 'resource.sched-status'),
    ],
    'sched.resource-status': recorded('0.88.0/resource-sched-status', 'resource.sched-status'),
  })
  await instance.read(LIMITS)
  await instance.read(LIMITS)
  await instance.read(LIMITS)
  const count = (topic: string) => broker.asked.filter((one) => one === topic).length
  assert.equal(count('resource.sched-status'), 3)
  assert.equal(count('sched.resource-status'), 1)
})

test('InstanceReader reads the null of an idle Fluxion as an empty set', async (t) => {
  const all = recorded('0.88.0-fluxion/idle-sched-resource-status', 'sched.resource-status')
  assert.equal(all.down, null)
  const { nodes } = await read(t, {
    ...recordedAnswers('0.88.0-fluxion/idle-'),
    'resource.sched-status': ERRNO.ENOSYS,
    'sched.resource-status': all,
  })
  assert.deepEqual(nodes, { total: 4, up: 4, down: 0, allocated: 0, free: 4, idle: 4, drained: 0 })
})

test('InstanceReader reports job counts, and nothing else, as unknown if private mode hides them', async (t) => {
  const answers = { ...recordedAnswers('0.88.0/'), 'job-list.job-stats': ERRNO.EPERM }
  const { jobs, nodes } = await read(t, answers)
  assert.equal(jobs.kind, 'unknown')
  assert.match(jobs.reason, /access\.private-mode/)
  assert.equal(nodes.total, 4)
})

test('InstanceReader reports pending jobs as unknown, and counts jobs, if only the list is hidden', async (t) => {
  const facts = await read(t, { ...recordedAnswers('0.88.0/'), 'job-list.list': ERRNO.EPERM })
  assert.equal(facts.waiting.kind, 'unknown')
  assert.match(facts.waiting.reason, /access\.private-mode/)
  assert.equal(facts.jobs.kind, 'known')
  assert.deepEqual(facts.failed, facts.waiting)
  assert.equal(facts.nodes.total, 4)
})

test('InstanceReader refuses to read while Flux starts, whatever else the broker answers', async (t) => {
  await assert.rejects(
    read(t, {
      ...recordedAnswers('0.88.0/'),
      'state-machine.get': { state: 'quorum', duration: 1 },
      'resource.sched-status': ERRNO.EINVAL,
    }),
    {
      code: 'FLUX_REMOTE',
      message: 'Flux is starting or stopping: its state is "quorum", not "run"',
    },
  )
})

for (const topic of ['resource.status', 'resource.sched-status', 'job-list.job-stats']) {
  test(`InstanceReader returns no incomplete reading: it fails when ${topic} fails`, async (t) => {
    await assert.rejects(
      read(t, { ...recordedAnswers('0.88.0/'), [topic]: ERRNO.EINVAL }),
      (error) =>
        error instanceof FluxError && error.errnum === ERRNO.EINVAL && error.topic === topic,
    )
  })
}

test('InstanceReader reads again when parts of a reading contradict each other', async (t) => {
  const status = recorded('0.88.0/resource-status', 'resource.status')
  const { broker, instance } = await open(t, {
    ...recordedAnswers('0.88.0/'),
    'resource.status': [{ ...status, drain: { '3': { timestamp: 1, reason: '' } } }, status],
  })
  const { nodes } = await instance.read(LIMITS)
  assert.equal(nodes.drained, 0)
  assert.equal(broker.asked.filter((topic) => topic === 'resource.sched-status').length, 2)
})

test('InstanceReader fails when every repeated reading contradicts itself, too', async (t) => {
  const status = recorded('0.88.0/resource-status', 'resource.status')
  await assert.rejects(
    read(t, { ...recordedAnswers('0.88.0/'), 'resource.status': { ...status, offline: '3' } }),
    {
      code: 'FLUX_PROTOCOL',
      message:
        /^Cannot trust Flux's answers: rank 3 is both offline and up; if this lasts, reload /,
    },
  )
})

const BROKEN: readonly [what: string, answers: Record<string, Answer>][] = [
  ['a sched-status without allocated', { 'resource.sched-status': { all: {}, down: null } }],
  [
    'a sched-status without any nodes',
    { 'resource.sched-status': { all: null, allocated: null, down: null } },
  ],
  ['a drain list that is no object', { 'resource.status': { drain: [], offline: '' } }],
  ['a state that is no text', { 'state-machine.get': { state: 1 } }],
]

for (const [what, answers] of BROKEN) {
  test(`InstanceReader fails on ${what}, and never reads it as 0`, async (t) => {
    await assert.rejects(read(t, { ...recordedAnswers('0.88.0/'), ...answers }), {
      code: 'FLUX_PROTOCOL',
    })
  })
}

test('InstanceReader asks for pending jobs before allocated resources: a job that starts in between is in both, never in neither', async (t) => {
  const { broker, instance } = await open(t, recordedAnswers('0.88.0/'))
  await instance.read(LIMITS)
  const first = (topic: string) => broker.asked.indexOf(topic)
  assert.ok(first('job-list.list') < first('resource.sched-status'))
  assert.ok(first('job-list.job-stats') < first('resource.sched-status'))
})

test('InstanceReader counts a job that starts while it reads once, as running', async (t) => {
  const job = { id: 7, state: 8, userid: 0, priority: 16, nnodes: 2, ncores: 4, t_submit: 1 }
  const started = { id: 7, userid: 0, ranks: '[0-1]', expiration: 0 }
  const { waiting, running } = await read(t, {
    ...recordedAnswers('0.88.0/'),
    'job-list.list': ({ states }) => ({
      jobs: states === 14 ? [job, { ...job, id: 8 }] : states === 48 ? [started] : [],
    }),
  })
  assert.ok(waiting.kind === 'known')
  assert.deepEqual([waiting.jobs.map(({ id }) => id), waiting.total], [[8], 1])
  assert.equal(formatIdset(running), '0-1')
})

/** Recorded answers of Fluxion about its settings, to its owner and to guests. */
const FLUXION = {
  ...recordedAnswers('0.88.0-fluxion/mc-4of10-idle-'),
  'sched-fluxion-qmanager.params': recorded(
    '0.88.0-fluxion/qmanager-params-easy',
    'sched-fluxion-qmanager.params',
  ),
}
const CONFIG = { 'sched-fluxion-resource': { 'match-policy': 'lonode' } }

test('InstanceReader reads the settings of Fluxion that are in force, or the configured ones if it may not ask', async (t) => {
  const topic = 'sched-fluxion-resource.params'
  const params = recorded('0.88.0-fluxion/fluxion-resource-params', topic)
  const owner = await read(t, { ...FLUXION, 'config.get': CONFIG, [topic]: params })
  const queuePolicy = 'easy'
  const inForce = { queuePolicy, matchPolicy: 'first', pruneFilters: 'ALL:core,ALL:node' }
  assert.deepEqual(owner.fluxion, inForce)
  const guest = await read(t, { ...FLUXION, 'config.get': CONFIG, [topic]: ERRNO.EPERM })
  const configured = { queuePolicy, matchPolicy: 'lonode', pruneFilters: undefined }
  assert.deepEqual(guest.fluxion, configured)
})

test('InstanceReader as a guest asks the broker no more often than it must', async (t) => {
  const { broker, instance } = await open(t, recordedAnswers('0.88.0/'))
  await instance.read(LIMITS)
  const before = broker.asked.length
  await instance.read(LIMITS)
  assert.deepEqual(broker.asked.slice(before).sort(), [
    'job-list.job-stats',
    'job-list.list',
    'job-list.list',
    'job-manager.queue-status',
    'job-manager.queue-status',
    'resource.sched-status',
    'resource.status',
    'state-machine.get',
  ])
})

for (const [quorum, count] of [
  ['3', 3],
  ['0-2', 3],
  [ERRNO.ENOENT, 1],
] as const) {
  test(`InstanceReader reads a quorum of ${quorum} as ${count}`, async (t) => {
    const answer = typeof quorum === 'number' ? quorum : { value: quorum, flags: 1 }
    const { instance } = await open(t, { 'attr.get': [{ value: '0.88.0', flags: 1 }, answer] })
    assert.equal(instance.quorum, count)
  })
}

test('InstanceReader fails if the quorum is malformed or cannot be read', async (t) => {
  const version = { value: '0.88.0', flags: 1 }
  await assert.rejects(open(t, { 'attr.get': [version, { value: 'all', flags: 1 }] }), {
    code: 'FLUX_PROTOCOL',
  })
  await assert.rejects(open(t, { 'attr.get': [version, ERRNO.EPROTO] }), { errnum: ERRNO.EPROTO })
})

test('InstanceReader fails if ranks are down but not in R', async (t) => {
  const sched = recorded('0.88.0/resource-sched-status', 'resource.sched-status')
  const down = { version: 1, execution: { R_lite: [{ rank: '9', children: { core: '0' } }] } }
  const answers = { ...recordedAnswers('0.88.0/'), 'resource.sched-status': { ...sched, down } }
  await assert.rejects(read(t, answers), {
    code: 'FLUX_PROTOCOL',
    message: /^Cannot trust Flux's answers: rank 9 is down but not in R; if this lasts, reload /,
  })
})

/** Four exclusive slots with two sockets each: Fluxion, sched-simple since 0.84, and before it read something else. */
for (const [release, scheduler, nodes, cores] of [
  ['0.88.0', 'fluxion', undefined, 4],
  ['0.88.0', 'sched-simple', 4, 2],
  ['0.83.0', 'sched-simple', undefined, 2],
] as const) {
  test(`InstanceReader reads jobspecs as ${scheduler} of ${release} does`, async (t) => {
    const socket = { type: 'socket', count: 2, with: [{ type: 'core', count: 2 }] }
    const slot = { type: 'slot', count: 4, exclusive: true, with: [socket] }
    const isFluxion = scheduler === 'fluxion'
    const { waiting } = await read(t, {
      ...recordedAnswers('0.88.0/'),
      'attr.get': [
        { value: release, flags: 1 },
        { value: '2', flags: 1 },
      ],
      'job-manager.getattr': () => ({ jobspec: { resources: [slot] } }),
      ...(isFluxion && {
        'sched-fluxion-qmanager.params': { params: { 'queue-policy': 'fcfs' } },
      }),
    })
    assert.equal(waiting.kind, 'known')
    for (const { request } of waiting.jobs) {
      assert.ok(request !== undefined && 'ways' in request)
      const [[part] = []] = request.ways
      assert.deepEqual([part?.nodes, part?.cores], [nodes, cores])
    }
  })
}
