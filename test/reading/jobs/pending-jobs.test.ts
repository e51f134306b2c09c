// Pending jobs: what Flux is asked for, how often, and what is unknown.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { PendingJob } from '#flux/calls/job-list-calls.ts'
import { ERRNO } from '#flux/errors.ts'
import { formatIdset, parseIdset } from '#flux/sets/idset.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import type { WaitingJob, WaitingJobs } from '#reading/facts.ts'
import type { RankAttributes } from '#reading/jobs/constrained-ranks.ts'
import { type PendingContext, PendingJobReader } from '#reading/jobs/pending-jobs.ts'
import { MAX_WAITING } from '#reading/jobs/pending-list.ts'
import type { WaitingQueues } from '#reading/jobs/queue-reader.ts'
import { isUnknown } from '#reading/unknown.ts'
import { type Answer, connectToCannedBroker } from '../../support/canned-broker.ts'
import { connectToScript } from '../../support/scripted-broker.ts'

const LIMITS = { timeoutMs: 10_000 }
const LIST = 'job-list.list'
const GETATTR = 'job-manager.getattr'

/** @param now a clock, which stands still if none is given */
async function setUp(t: TestContext, answers: Record<string, Answer>, now = () => 0) {
  const broker = await connectToCannedBroker(t, answers)
  const reader = new PendingJobReader(broker.client, { now })
  /** What is known once every jobspec was read. */
  const complete = async (...[jobs, context]: CompleteArgs): Promise<WaitingJobs> => {
    const waiting = await reader.complete(jobs, context, LIMITS)
    assert.ok(!isUnknown(waiting))
    return waiting
  }
  return { ...broker, reader, complete }
}

type CompleteArgs = [jobs: readonly PendingJob[], context: PendingContext]

/** Jobs with these ids, as job-list answers them. */
function pending(...ids: readonly number[]): PendingJob[] {
  return ids.map((id) => ({
    ...{ id, state: 'SCHED', userid: 1000, priority: 16, queue: undefined, ntasks: 1 },
    ...{ nnodes: undefined, ncores: 1, duration: 0, submittedAt: 1, startEstimate: undefined },
  }))
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** A jobspec of this number of slots, with a core and a GPU each. */
function jobspec(slots: number): JsonObject {
  const below = ['core', 'gpu'].map((type) => ({ type, count: 1 }))
  return { jobspec: { resources: [{ type: 'slot', count: slots, with: below }] } }
}

/** Answers with the jobspec of the job that is asked for. */
function byJob(specs: readonly JsonObject[]): Answer {
  return ({ id }) => specs[Number(id)] ?? ERRNO.EINVAL
}

const SLOT = { type: 'slot', count: 1, with: [{ type: 'core', count: 1 }] }

/** R of eight ranks, of which 4-7 have the property "gpu". */
const ATTRIBUTES: RankAttributes = {
  all: parseIdset('0-7'),
  properties: new Map([['gpu', parseIdset('4-7')]]),
  hostlists: [],
  hosts: () => new Map(),
}

const GPUS = { counted: 0, hasGpus: true, attributes: ATTRIBUTES }

/** Queues in which jobs wait. */
function queuesOf({
  stopped = [],
  started = [],
  areAllStopped = false,
}: {
  readonly stopped?: readonly string[]
  readonly started?: readonly string[]
  readonly areAllStopped?: boolean
}): WaitingQueues {
  return { stopped: new Set(stopped), started: new Set(started), areAllStopped }
}

function slotsOf({ request }: WaitingJob): number | undefined {
  return request === undefined || isUnknown(request) ? undefined : request.ways[0]?.[0]?.slots
}

test('complete does not know a job whose jobspec is very long, and does not ask for it again', async (t) => {
  const long = { jobspec: { resources: [], note: 'x'.repeat(2 * 2 ** 20) } }
  const { complete, asked } = await setUp(t, { [GETATTR]: [long, jobspec(7)] })
  for (let round = 0; round < 2; round += 1) {
    const { jobs } = await complete(pending(1, 2), GPUS)
    assert.deepEqual(jobs.map(slotsOf), [undefined, 7])
    const [odd] = jobs
    assert.ok(odd?.request !== undefined && isUnknown(odd.request))
    assert.match(odd.request.reason, /more than 1 MiB/)
  }
  assert.equal(asked.length, 2)
})

test('complete reads only jobspecs of jobs that could start if no job can ask for a GPU', async (t) => {
  const { complete, requests } = await setUp(t, { [GETATTR]: [1, 2].map(jobspec) })
  const [one, held, early] = pending(1, 2, 3)
  assert.ok(one && held && early)
  const jobs = [one, { ...held, priority: 0 }, { ...early, state: 'DEPEND' as const }]
  const context = { counted: 3, hasGpus: false, attributes: ATTRIBUTES }
  const waiting = await complete(jobs, context)
  assert.deepEqual(waiting.jobs.map(slotsOf), [1, undefined, undefined])
  assert.deepEqual(
    [waiting.total, waiting.lacksStartable, waiting.unknownRequests],
    [3, false, undefined],
  )
  assert.deepEqual(
    requests.map(({ args }) => args.id),
    [1],
  )
})

test('complete works out the ranks that constraints accept, one set for all that are alike', async (t) => {
  const constrained = (constraints: JsonObject): JsonObject => {
    const { jobspec: spec } = jobspec(1)
    return { jobspec: { ...(spec as JsonObject), attributes: { system: { constraints } } } }
  }
  const gpu = { properties: ['gpu'] }
  const { complete } = await setUp(t, {
    [GETATTR]: [gpu, gpu, { not: [gpu] }, { hostlist: ['a'] }].map(constrained),
  })
  const { jobs } = await complete(pending(1, 2, 3, 4), GPUS)
  const ranks = jobs.map(({ request }) =>
    request === undefined || isUnknown(request) ? undefined : request.ranks,
  )
  assert.deepEqual(
    ranks.map((set) => set && formatIdset(set)),
    ['4-7', '4-7', '0-3', ''],
  )
  assert.equal(ranks[0], ranks[1])
})

test('complete names the property that no rank has', async (t) => {
  const { jobspec: spec } = jobspec(1)
  const constraints = { and: [{ hostlist: ['a'] }, { properties: ['gpu', 'quantum'] }] }
  const { complete } = await setUp(t, {
    [GETATTR]: [{ jobspec: { ...(spec as JsonObject), attributes: { system: { constraints } } } }],
  })
  const [job] = (await complete(pending(1), GPUS)).jobs
  assert.ok(job?.request !== undefined && !isUnknown(job.request))
  assert.equal(job.request.lackingProperty, 'quantum')
})

test('complete reads a jobspec again if its job moved to another queue', async (t) => {
  const { complete } = await setUp(t, { [GETATTR]: [1, 2].map(jobspec) })
  const [job] = pending(1)
  assert.ok(job)
  const slots = async (queue: string) => {
    const { jobs } = await complete([{ ...job, queue }], GPUS)
    return jobs.map(slotsOf)
  }
  assert.deepEqual(await slots('batch'), [1])
  assert.deepEqual(await slots('batch'), [1])
  assert.deepEqual(await slots('debug'), [2])
})

test('complete keeps a bounded number of constraints', async (t) => {
  const specs = upTo(1000).map((job) => {
    const ranks = upTo(190).map((index) => `${2 * index + 1000 * job}`)
    return {
      jobspec: {
        resources: [SLOT],
        attributes: { system: { constraints: { ranks: [ranks.join()] } } },
      },
    }
  })
  const { complete, asked } = await setUp(t, { [GETATTR]: byJob(specs) })
  const context = { counted: 0, hasGpus: false, attributes: ATTRIBUTES }
  for (let round = 0; round < 2; round += 1) await complete(pending(...upTo(1000)), context)
  const { length } = asked
  const { jobs } = await complete(pending(...upTo(1000)), context)
  const unknowns = jobs.filter(({ request }) => request !== undefined && isUnknown(request))
  assert.equal(jobs.length - unknowns.length, 523)
  assert.equal(asked.length, length)
  assert.ok(length < 1500, `${length} jobspecs are asked for`)
})

/** A constraint of 20,000 ranges of ranks, another one for each job. */
function large(job: number): JsonObject {
  const ranks = upTo(10).map((part) => upTo(2_000).map((at) => 2 * (2_000 * part + at) + 4 * job))
  const constraints = { ranks: ranks.map((some) => some.join()) }
  return { jobspec: { resources: [SLOT], attributes: { system: { constraints } } } }
}

test('complete reads a jobspec again that was too large, once there is room for it', async (t) => {
  const { complete } = await setUp(t, { [GETATTR]: byJob(upTo(60).map(large)) })
  const context = {
    counted: 0,
    hasGpus: false,
    attributes: { ...ATTRIBUTES, hosts: () => new Map() },
  }
  const tooLarge = async (...ids: number[]) => {
    const { jobs } = await complete(pending(...ids), context)
    return jobs
      .filter(({ request }) => request !== undefined && isUnknown(request))
      .map(({ id }) => id)
  }
  for (let reading = 0; reading < 4; reading += 1) await tooLarge(...upTo(12))
  assert.deepEqual(await tooLarge(...upTo(12)), [4, 5, 6, 7, 8, 9, 10, 11])
  await tooLarge(8, 9, 10, 11)
  assert.deepEqual(await tooLarge(8, 9, 10, 11), [])
})

test('complete knows the ranks of every constraint after some readings, however many hosts they have', async (t) => {
  const specs = upTo(60).map((job) => ({
    jobspec: {
      resources: [SLOT],
      attributes: { system: { constraints: { hostlist: [`h-[${job}-9999]`] } } },
    },
  }))
  const { complete } = await setUp(t, { [GETATTR]: byJob(specs) })
  const hosts = new Map([['h-30', [3]]])
  const context = { ...GPUS, attributes: { ...ATTRIBUTES, hosts: () => hosts } }
  let known: readonly string[] = []
  for (let reading = 0; reading < 20 && known.length < 60; reading += 1) {
    const { jobs } = await complete(pending(...upTo(60)), context)
    known = jobs.flatMap(({ request }) =>
      request === undefined || isUnknown(request)
        ? []
        : [formatIdset(request.ranks ?? ATTRIBUTES.all)],
    )
  }
  assert.deepEqual(
    known,
    upTo(60).map((job) => (job <= 30 ? '3' : '')),
  )
})

test('complete reads constraints as the scheduler that runs does', async (t) => {
  const constraints = { not: [{ ranks: ['0'] }, { ranks: ['1'] }] }
  const spec = {
    jobspec: { resources: [SLOT], attributes: { system: { constraints } } },
  }
  const { client } = await connectToCannedBroker(t, { [GETATTR]: () => spec })
  for (const [version, isFluxion, ranks] of [
    ['0.84.0', false, '1-7'],
    ['0.84.0', true, '0-7'],
    ['0.83.0', false, '0-7'],
    [undefined, false, '1-7'],
  ] as const) {
    const reader = new PendingJobReader(client, version === undefined ? {} : { version })
    const context = { counted: 0, hasGpus: false, isFluxion, attributes: ATTRIBUTES }
    const waiting = await reader.complete(pending(1), context, LIMITS)
    assert.ok(!isUnknown(waiting))
    const [{ request } = {}] = waiting.jobs
    assert.ok(request !== undefined && 'ways' in request && request.ranks !== undefined)
    assert.equal(formatIdset(request.ranks), ranks)
  }
})

/** The ways of each job; `undefined` if they are not known. */
function waysIn(jobs: WaitingJobs['jobs']) {
  return jobs.map(({ request }) =>
    request === undefined || isUnknown(request) ? undefined : request.ways,
  )
}

const SOCKETS = {
  jobspec: {
    resources: [
      {
        ...{ type: 'slot', count: 4, exclusive: true },
        with: [{ type: 'socket', count: 2, with: [{ type: 'core', count: 2 }] }],
      },
    ],
  },
}

test('complete says what the scheduler that runs reads in a jobspec, also when it is another one', async (t) => {
  const { complete, requests } = await setUp(t, { [GETATTR]: () => SOCKETS })
  const context = { counted: 0, hasGpus: false, attributes: ATTRIBUTES }
  const simple = { nodes: 4, slots: 4, cores: 2, gpus: 0, exclusive: true }
  const fluxion = { nodes: undefined, slots: 4, cores: 4, gpus: 0, exclusive: false }
  for (const [isFluxion, part] of [
    [false, simple],
    [true, fluxion],
  ] as const) {
    const { jobs } = await complete(pending(1, 2), { ...context, isFluxion })
    const [one, other] = waysIn(jobs)
    assert.deepEqual(one, [[part]])
    assert.equal(one, other, 'jobs that are alike share what was read')
  }
  assert.equal(requests.length, 2)
})

test('complete reads a jobspec as the release of the broker does', async (t) => {
  const { client } = await connectToCannedBroker(t, { [GETATTR]: () => SOCKETS })
  const reader = new PendingJobReader(client, { version: '0.83.0' })
  const context = { counted: 0, hasGpus: false, attributes: ATTRIBUTES }
  const waiting = await reader.complete(pending(1), context, LIMITS)
  assert.ok(!isUnknown(waiting))
  const part = { nodes: undefined, slots: 4, cores: 2, gpus: 0, exclusive: false }
  assert.deepEqual(waysIn(waiting.jobs), [[[part]]])
})

test('complete keeps a bounded number of parts, also of those that only sched-simple reads', async (t) => {
  const sized = (type: string, cores: number) => ({
    ...{ type, count: 1 },
    with: [{ type: 'core', count: cores }],
  })
  const specs = upTo(600).map((job) => ({
    jobspec: {
      resources: [
        ...upTo(16).map((kind) => sized('xor_slot', 1 + kind)),
        ...upTo(15).map((kind) => sized('slot', 100 + kind + job)),
      ],
    },
  }))
  const { complete } = await setUp(t, { [GETATTR]: specs })
  const context = { counted: 0, hasGpus: false, attributes: ATTRIBUTES }
  // The first reading ends with the job that uses up what one may add; the next one fills what is left.
  await complete(pending(...upTo(600)), context)
  const { jobs } = await complete(pending(...upTo(600)), context)
  const known = waysIn(jobs).filter((ways) => ways !== undefined)
  // A job has 16 ways of 16 parts, and one of one part for sched-simple.
  assert.equal(known.length, Math.floor(100_000 / (16 * 17 + 2)))
})

test('complete keeps a bounded number of parts and alternatives', async (t) => {
  const kinds = (from: number) =>
    upTo(16).map((kind) => ({
      type: 'slot',
      count: 1,
      // Schedulers of flux-core refuse a count of 0, so that there is one reading alone.
      with: [
        { type: 'core', count: from + kind },
        { type: 'gpu', count: 0 },
      ],
    }))
  const either = upTo(16).map((kind) => ({ ...kinds(1000)[kind], type: 'xor_slot' }))
  const specs = upTo(600).map((job) => ({
    jobspec: { resources: [...kinds(1 + job).slice(1), ...either] },
  }))
  const { complete } = await setUp(t, { [GETATTR]: specs })
  const context = { counted: 0, hasGpus: false, attributes: ATTRIBUTES }
  const { jobs } = await complete(pending(...upTo(600)), context)
  const known = jobs.filter(({ request }) => request !== undefined && !isUnknown(request))
  // A job has 16 ways of 16 parts.
  assert.equal(known.length, Math.floor(100_000 / (16 * 17)))
})

test('complete leaves large constraints for the next reading when one has read enough', async (t) => {
  const { complete } = await setUp(t, { [GETATTR]: byJob(upTo(20).map(large)) })
  const context = { counted: 0, hasGpus: false, attributes: ATTRIBUTES }
  const later = async () => {
    const { jobs } = await complete(pending(...upTo(20)), context)
    return jobs.filter(
      ({ request }) =>
        request !== undefined && isUnknown(request) && /at the next readings$/.test(request.reason),
    ).length
  }
  const first = await later()
  assert.ok(first > 10 && first < 20, `${first} of 20 are left`)
  const left = [first]
  while (left.at(-1) !== 0 && left.length < 30) left.push(await later())
  assert.equal(left.at(-1), 0, left.join())
})

test('complete reads each jobspec once, and drops those of jobs that are no longer pending', async (t) => {
  const { complete, requests } = await setUp(t, { [GETATTR]: [1, 2, 3, 1].map(jobspec) })
  const read = async (...ids: number[]) => {
    const before = requests.length
    const { jobs, unknownRequests } = await complete(pending(...ids), GPUS)
    const asked = requests.slice(before).map(({ args }) => args.id)
    return { slots: jobs.map(slotsOf), unknownRequests, asked }
  }
  assert.deepEqual(await read(11, 12), {
    slots: [1, 2],
    unknownRequests: undefined,
    asked: [11, 12],
  })
  assert.deepEqual(await read(12, 11), { slots: [2, 1], unknownRequests: undefined, asked: [] })
  assert.deepEqual(await read(12, 13), { slots: [2, 3], unknownRequests: undefined, asked: [13] })
  assert.deepEqual(await read(11), { slots: [1], unknownRequests: undefined, asked: [11] })
})

test('complete as a guest is refused once, and does not ask again', async (t) => {
  const { complete, asked } = await setUp(t, { [GETATTR]: ERRNO.EPERM })
  for (const ids of [[1, 2, 3], [1, 2, 3], [4]]) {
    const { jobs, unknownRequests } = await complete(pending(...ids), GPUS)
    assert.ok(jobs.every(({ request }) => request === undefined))
    assert.match(
      unknownRequests?.reason ?? '',
      /^Flux does not show guests how many GPUs a job asks for: /,
    )
  }
  assert.deepEqual(asked, [GETATTR])
})

test('complete without pending jobs leaves nothing unknown, also as a guest', async (t) => {
  const { complete } = await setUp(t, { [GETATTR]: ERRNO.EPERM })
  await complete(pending(1), GPUS)
  const { unknownRequests } = await complete([], GPUS)
  assert.equal(unknownRequests, undefined)
})

test('complete reads a bounded number of jobspecs at a time, and knows no demand until it has read all', async (t) => {
  const { reader, asked } = await setUp(t, { [GETATTR]: jobspec(1) })
  const jobs = pending(...upTo(4300))
  for (const hasGpus of [false, true]) {
    const waiting = await reader.complete(jobs, { ...GPUS, hasGpus }, LIMITS)
    assert.ok(isUnknown(waiting))
    assert.match(waiting.reason, /^the jobspecs of some pending jobs are still being read: /)
  }
  const waiting = await reader.complete(jobs, GPUS, LIMITS)
  assert.ok(!isUnknown(waiting))
  assert.ok(waiting.jobs.every((job) => slotsOf(job) === 1))
  assert.equal(waiting.unknownRequests, undefined)
  assert.equal(asked.length, 4300)
})

test('complete asks for a few jobspecs at once, so that large ones fit into memory', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.respond(await peer.expect(GETATTR), jobspec(1))
    const others = []
    for (let count = 0; count < 4; count += 1) others.push(await peer.expect(GETATTR))
    // This one is sent after all that were sent at once.
    const last = await peer.expect('attr.get')
    for (const request of others) peer.respond(request, jobspec(1))
    peer.respond(last, { value: '1' })
    for (let count = 5; count < 30; count += 1) {
      peer.respond(await peer.expect(GETATTR), jobspec(1))
    }
  })
  const reader = new PendingJobReader(client)
  const completed = reader.complete(pending(...upTo(30)), GPUS, LIMITS)
  while (client.matchtagsInUse < 4) await new Promise(setImmediate)
  await client.call('attr.get', { name: 'size' }, LIMITS)
  const waiting = await completed
  assert.ok(!isUnknown(waiting))
  assert.equal(waiting.unknownRequests, undefined)
})

test('complete leaves jobspecs for the next readings when they take long, and goes on with those', async (t) => {
  let clock = 0
  const slow: Answer = () => {
    clock += 100
    return jobspec(1)
  }
  const { reader, asked } = await setUp(t, { [GETATTR]: slow }, () => clock)
  const jobs = pending(...upTo(30))
  for (const [count, isComplete] of [
    [13, false],
    [26, false],
    [30, true],
  ] as const) {
    const waiting = await reader.complete(jobs, GPUS, LIMITS)
    assert.deepEqual([asked.length, !isUnknown(waiting)], [count, isComplete])
  }
})

test('complete knows the demand while only jobspecs of held jobs are still to be read', async (t) => {
  const { complete } = await setUp(t, { [GETATTR]: jobspec(1) })
  const [first, ...others] = pending(...upTo(2001))
  assert.ok(first)
  const jobs = [first, ...others.map((job) => ({ ...job, priority: 0 }))]
  const { unknownRequests } = await complete(jobs, GPUS)
  assert.match(unknownRequests?.reason ?? '', /^the jobspecs of some pending jobs are still /)
  assert.equal((await complete(jobs, GPUS)).unknownRequests, undefined)
})

test('complete leaves out a job that has ended since it was listed', async (t) => {
  const { complete } = await setUp(t, { [GETATTR]: [ERRNO.EINVAL, jobspec(7)] })
  const { jobs, total, unknownRequests } = await complete(pending(1, 2), GPUS)
  assert.deepEqual(
    jobs.map((job) => [job.id, slotsOf(job)]),
    [[2, 7]],
  )
  assert.deepEqual([total, unknownRequests], [1, undefined])
})

test('complete leaves out a job that has started since it was listed, and does not read its jobspec', async (t) => {
  const { complete, requests } = await setUp(t, { [GETATTR]: byJob([1, 2].map(jobspec)) })
  const { jobs, total } = await complete(pending(0, 1), { ...GPUS, started: new Set([0]) })
  assert.deepEqual([jobs.map(({ id }) => id), total], [[1], 1])
  assert.deepEqual(
    requests.map(({ args }) => args.id),
    [1],
  )
})

test('complete reports a list over the limit as cut, also if some of its jobs have started', async (t) => {
  const { complete } = await setUp(t, { [GETATTR]: ERRNO.EPERM })
  const ids = upTo(MAX_WAITING + 1)
  for (const started of [[3], ids.slice(0, MAX_WAITING)].map((some) => new Set(some))) {
    const context = { counted: 0, started, hasGpus: false, attributes: ATTRIBUTES }
    const { jobs, total, lacksStartable } = await complete(pending(...ids), context)
    assert.equal(jobs.length, MAX_WAITING - started.size)
    assert.deepEqual([total, lacksStartable], [MAX_WAITING + 1, true])
  }
})

test('complete forgets no job that Flux lists again and again', async (t) => {
  const { complete } = await setUp(t, {
    [GETATTR]: [ERRNO.EINVAL, jobspec(7), ERRNO.EINVAL],
  })
  await complete(pending(1, 2), GPUS)
  const [odd] = (await complete(pending(1, 2), GPUS)).jobs
  assert.ok(odd?.request !== undefined && isUnknown(odd.request))
  assert.match(odd.request.reason, /there is no such job$/)
})

for (const [what, answer, reason] of [
  [
    'of another shape',
    { jobspec: { resources: [{ type: 'slot', count: 'many' }] } },
    /expected a count, got "many"$/,
  ],
  ['that Flux does not have', ERRNO.ENOENT, /of which it has no jobspec$/],
  ['that is none', {}, /expected an object at "jobspec", got undefined$/],
] as const) {
  test(`complete goes on if a job has a jobspec ${what}, and does not ask for it again`, async (t) => {
    const { complete, asked } = await setUp(t, { [GETATTR]: [answer, jobspec(7)] })
    for (let round = 0; round < 2; round += 1) {
      const { jobs, unknownRequests } = await complete(pending(1, 2), GPUS)
      assert.deepEqual(jobs.map(slotsOf), [undefined, 7])
      const [odd] = jobs
      assert.ok(odd?.request !== undefined && isUnknown(odd.request))
      assert.match(odd.request.reason, reason)
      assert.equal(unknownRequests, undefined)
    }
    assert.equal(asked.length, 2)
  })
}

test('complete fails with any other error', async (t) => {
  const { reader } = await setUp(t, { [GETATTR]: ERRNO.EPROTO })
  await assert.rejects(reader.complete(pending(1), GPUS, LIMITS), { errnum: ERRNO.EPROTO })
})

test('complete reports a list over the limit as cut, whatever job-stats counted', async (t) => {
  const { complete } = await setUp(t, { [GETATTR]: ERRNO.EPERM })
  const countsFor = async (length: number, counted: number) => {
    const listed = pending(...upTo(length))
    const context = { counted, hasGpus: false, attributes: ATTRIBUTES }
    const { jobs, total } = await complete(listed, context)
    return [jobs.length, total]
  }
  assert.deepEqual(await countsFor(MAX_WAITING + 1, 90_000), [MAX_WAITING, 90_000])
  // job-stats is of another moment than the list.
  assert.deepEqual(await countsFor(MAX_WAITING + 1, 3), [MAX_WAITING, MAX_WAITING + 1])
  assert.deepEqual(await countsFor(MAX_WAITING, MAX_WAITING + 1), [MAX_WAITING, MAX_WAITING])
  assert.deepEqual(await countsFor(2, 3), [2, 2])
})

test('complete says whether jobs are missing that could start, which Flux lists first', async (t) => {
  const { complete } = await setUp(t, { [GETATTR]: ERRNO.EPERM })
  const context = { counted: 90_000, hasGpus: false, attributes: ATTRIBUTES }
  const lacks = async (jobs: readonly PendingJob[]) =>
    (await complete(jobs, context)).lacksStartable
  const listed = pending(...upTo(MAX_WAITING + 1))
  assert.equal(await lacks(listed), true)
  assert.equal(await lacks(listed.slice(1)), false)
  assert.equal(await lacks(listed.map((job) => ({ ...job, priority: 0 }))), false)
  const queues = queuesOf({ stopped: ['batch'], areAllStopped: true })
  const { lacksStartable } = await complete(listed, { ...context, queues })
  assert.equal(lacksStartable, false)
  const early = { state: 'DEPEND' as const, priority: undefined }
  assert.equal(
    await lacks(listed.map((job, index) => (index < 9 ? job : { ...job, ...early }))),
    false,
  )
  // It had a priority, which is to be worked out anew: jobs of the same priority follow.
  const again = { state: 'PRIORITY' as const }
  assert.equal(
    await lacks(listed.map((job, index) => (index < 9 ? job : { ...job, ...again }))),
    true,
  )
})

/** A job as job-list answers it. */
function listedJob(id: number, queue: string): JsonObject {
  return { id, state: 8, userid: 0, t_submit: 1, priority: 16, queue, ntasks: 1, ncores: 1 }
}

/** More jobs than are listed wait in "batch", which is stopped, and one in "debug", which is not. */
const MOSTLY_STOPPED = {
  counted: MAX_WAITING + 3,
  hasGpus: false,
  attributes: ATTRIBUTES,
  queues: queuesOf({ stopped: ['batch'], started: ['debug'] }),
}

/** A broker with these jobs: one since 0.53 leaves out those of queues, if it is asked to. */
function listing({ leavesOut = true }): (args: JsonObject) => JsonObject {
  const batch = upTo(MAX_WAITING + 1).map((id) => listedJob(id, 'batch'))
  const debug = listedJob(MAX_WAITING + 2, 'debug')
  return ({ constraint }) => {
    const isWithoutBatch = JSON.stringify(constraint).includes('{"not":[{"queue":["batch"]}]}')
    return { jobs: leavesOut && isWithoutBatch ? [debug] : batch }
  }
}

test('where more jobs wait than are listed, those in stopped queues are left out from the next list on', async (t) => {
  const { reader, complete } = await setUp(t, {
    [LIST]: listing({}),
    [GETATTR]: ERRNO.EPERM,
  })
  const readAnd = async (context: PendingContext) => {
    const { jobs, total, lacksStartable } = await complete(await reader.read(LIMITS), context)
    return [jobs.length, total, lacksStartable]
  }
  assert.deepEqual(await readAnd(MOSTLY_STOPPED), [MAX_WAITING, MAX_WAITING + 3, true])
  for (let round = 0; round < 2; round += 1) {
    assert.deepEqual(await readAnd(MOSTLY_STOPPED), [1, MAX_WAITING + 3, false])
  }
  // The queue is started between the list and the answer about queues: what its jobs need is not known.
  const queues = queuesOf({ started: ['batch', 'debug'] })
  assert.deepEqual(await readAnd({ ...MOSTLY_STOPPED, queues }), [1, MAX_WAITING + 3, true])
  assert.deepEqual(await readAnd({ ...MOSTLY_STOPPED, queues }), [
    MAX_WAITING,
    MAX_WAITING + 3,
    true,
  ])
})

test('all queues are listed again once so many jobs are listed', async (t) => {
  const { reader, complete, requests } = await setUp(t, {
    [LIST]: listing({}),
    [GETATTR]: ERRNO.EPERM,
  })
  for (const counted of [MAX_WAITING + 3, MAX_WAITING, 0]) {
    await complete(await reader.read(LIMITS), { ...MOSTLY_STOPPED, counted })
  }
  const lists = requests.map(({ args }) => JSON.stringify(args.constraint))
  const all = '{"states":[14]}'
  const some = '{"and":[{"states":[14]},{"not":[{"queue":["batch"]}]}]}'
  assert.deepEqual(
    lists.filter((text) => text !== undefined),
    [all, some, all],
  )
})

for (const [what, answer] of [
  ['that ignores constraints', listing({ leavesOut: false })],
  [
    'that gives up a long search',
    (args: JsonObject) =>
      JSON.stringify(args.constraint).includes('not') ? ERRNO.EINVAL : listing({})(args),
  ],
] as const) {
  test(`a broker ${what} is asked to leave out queues only once`, async (t) => {
    const { reader, complete, requests } = await setUp(t, {
      [LIST]: answer,
      [GETATTR]: ERRNO.EPERM,
    })
    for (let round = 0; round < 3; round += 1) {
      const waiting = await complete(await reader.read(LIMITS), MOSTLY_STOPPED)
      assert.deepEqual([waiting.jobs.length, waiting.lacksStartable], [MAX_WAITING, true])
    }
    const some = requests.filter(({ args }) => JSON.stringify(args.constraint)?.includes('not'))
    assert.equal(some.length, 1)
  })
}

test('an answer of an unexpected form is an error, also where queues are left out', async (t) => {
  const { reader, complete } = await setUp(t, {
    [LIST]: (args) => (JSON.stringify(args.constraint).includes('not') ? {} : listing({})(args)),
    [GETATTR]: ERRNO.EPERM,
  })
  await complete(await reader.read(LIMITS), MOSTLY_STOPPED)
  await assert.rejects(reader.read(LIMITS), { code: 'FLUX_PROTOCOL' })
})
