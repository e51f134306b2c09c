// The running jobs: what Flux is asked for, how often, and which ranks they hold.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ERRNO } from '#flux/errors.ts'
import { EMPTY_IDSET, formatIdset, parseIdset } from '#flux/sets/idset.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import { RunningJobReader, type RunningJobs, startedJobs } from '#reading/jobs/running-jobs.ts'
import { type Answer, connectToCannedBroker } from '../../support/canned-broker.ts'
import { jobCounts, ranksWith } from '../../support/snapshots.ts'

const LIMITS = { timeoutMs: 10_000 }
const LIST = 'job-list.list'

async function setUp(t: TestContext, answers: Record<string, Answer>) {
  const broker = await connectToCannedBroker(t, answers)
  const reader = new RunningJobReader(broker.client)
  const read = (allocated: string, counts = {}, offline = '') =>
    reader.read(
      {
        all: ranksWith('0-31', { cores: '0' }),
        allocated: ranksWith(allocated, { cores: '0' }),
        offline: parseIdset(offline),
      },
      { total: { ...jobCounts(1), ...counts } },
      LIMITS,
    )
  return { ...broker, read }
}

/** The highest job's id, and the ranks of all. */
function summary({ highest, ranks }: RunningJobs): readonly [id: unknown, ranks: string] {
  return [highest?.id, formatIdset(ranks)]
}

const NO_JOBS = { new: 0, depend: 0, priority: 0, sched: 0, run: 0, cleanup: 0 }

const JOBS = {
  jobs: [
    { id: 5, userid: 7, ranks: '0' },
    { id: 6, userid: 8, ranks: '[2-9]', expiration: 3 },
  ],
}

test('RunningJobReader lists all jobs, and finds one on the highest busy rank', async (t) => {
  const { read, requests } = await setUp(t, { [LIST]: JOBS })
  const jobs = await read('0,2-9')
  assert.deepEqual(summary(jobs), [6, '0,2-9'])
  assert.deepEqual([jobs.highest?.userid, jobs.highest?.expiration], [8, 3])
  assert.deepEqual([jobs.listed?.jobs.map(({ id }) => id), jobs.listed?.areAll], [[5, 6], true])
  assert.deepEqual(requests[0]?.args.constraint, { states: [48] })
  assert.equal(requests[0]?.args.max_entries, 1000)
})

test('RunningJobReader sees a job that has taken the place of another, though nothing else has changed', async (t) => {
  const job = (id: number, ranks: string) => ({ jobs: [{ id, userid: 7, ranks }] })
  const { read } = await setUp(t, { [LIST]: [job(1, '0'), job(2, '0,7')] })
  assert.deepEqual(summary(await read('0')), [1, '0'])
  assert.deepEqual(summary(await read('0')), [2, '0,7'])
})

test('RunningJobReader sees an extended time limit, though no job starts or ends', async (t) => {
  const extended = { jobs: [{ id: 6, userid: 8, ranks: '[2-9]', expiration: 99 }] }
  const { read } = await setUp(t, { [LIST]: [JOBS, extended] })
  assert.equal((await read('0,2-9')).highest?.expiration, 3)
  assert.equal((await read('0,2-9')).highest?.expiration, 99)
})

test('RunningJobReader asks nothing if no job is active', async (t) => {
  const { read, asked } = await setUp(t, {})
  const jobs = await read('0', NO_JOBS)
  assert.deepEqual(jobs, {
    ranks: EMPTY_IDSET,
    highest: undefined,
    listed: { jobs: [], areAll: true },
  })
  assert.deepEqual(asked, [])
})

test('RunningJobReader sees a job that was pending when jobs were counted', async (t) => {
  const { read } = await setUp(t, { [LIST]: JOBS })
  for (const state of ['new', 'depend', 'priority', 'sched']) {
    assert.deepEqual(summary(await read('0', { ...NO_JOBS, [state]: 1 })), [6, '0,2-9'])
  }
})

test('RunningJobReader lists jobs where it is not known whether there are new ones', async (t) => {
  const { read } = await setUp(t, { [LIST]: JOBS })
  assert.deepEqual(summary(await read('0', { ...NO_JOBS, new: undefined })), [6, '0,2-9'])
})

test('RunningJobReader finds ranks that Flux does not show as allocated (alloc-bypass)', async (t) => {
  const { read } = await setUp(t, { [LIST]: JOBS })
  assert.deepEqual(summary(await read('0')), [6, '0,2-9'])
  assert.deepEqual(summary(await read('')), [6, '0,2-9'])
})

test('startedJobs has the jobs that were listed with their ranks', async (t) => {
  const jobs = [...JOBS.jobs, { id: 7, userid: 7 }]
  const { read } = await setUp(t, { [LIST]: { jobs } })
  assert.deepEqual(startedJobs(await read('0,2-9')), new Set([5, 6]))
  assert.deepEqual(startedJobs({ listed: undefined }), new Set())
})

test('RunningJobReader passes over ranks that are offline when it looks for the highest job', async (t) => {
  const { read } = await setUp(t, { [LIST]: JOBS })
  assert.deepEqual(summary(await read('0,2-9', {}, '2-9')), [5, '0,2-9'])
})

test('RunningJobReader lists only jobs of the highest rank and above if very many run', async (t) => {
  const { read, requests } = await setUp(t, { [LIST]: JOBS })
  assert.deepEqual(summary(await read('0,2-9', { run: 5_000 })), [6, '0,2-9'])
  const above = { and: [{ states: [48] }, { ranks: ['9-31'] }] }
  assert.deepEqual(requests[0]?.args.constraint, above)
  assert.deepEqual(summary(await read('', { run: 5_000 })), [6, '0,2-9'])
  assert.deepEqual(requests[1]?.args.constraint, { states: [48] })
  await read('0,2-9', { run: 5_000 }, '20-31')
  const online = { and: [{ states: [48] }, { ranks: ['9-19'] }] }
  assert.deepEqual(requests[2]?.args.constraint, online)
})

/** The jobs among these that the constraint accepts, as job-list does it. */
function listOf(jobs: readonly { readonly ranks: string }[]): (args: JsonObject) => JsonObject {
  return ({ constraint, max_entries }) => {
    const text = /"ranks":\["(\d+)-/.exec(JSON.stringify(constraint))?.[1] ?? '0'
    const isOn = ({ ranks }: { readonly ranks: string }) => Number(ranks) >= Number(text)
    return { jobs: jobs.filter(isOn).slice(0, Number(max_entries)) }
  }
}

test('RunningJobReader finds a rank above the allocated ones also if very many jobs run (alloc-bypass)', async (t) => {
  const many = Array.from({ length: 1_500 }, (_, id) => ({ id, userid: 7, ranks: String(id % 9) }))
  const jobs = [...many, { id: 9_999, userid: 0, ranks: '30' }]
  const { read } = await setUp(t, { [LIST]: listOf(jobs) })
  const { ranks, highest } = await read('0-8', { run: 1_501 })
  assert.deepEqual([formatIdset(ranks), highest?.id], ['8,30', 9_999])
})

test('RunningJobReader finds it also if many jobs have started since they were counted', async (t) => {
  const many = Array.from({ length: 1_000 }, (_, id) => ({ id, userid: 7, ranks: String(id % 9) }))
  const jobs = [...many, { id: 9_999, userid: 0, ranks: '30' }]
  const { read } = await setUp(t, { [LIST]: listOf(jobs) })
  assert.deepEqual(formatIdset((await read('0-8', { run: 990 })).ranks), '8,30')
})

/** Very many jobs on ranks 0 to 8, and before all of them one that bypassed the scheduler. */
const BYPASSED = [
  ...Array.from({ length: 1_500 }, (_, id) => ({ id, userid: 7, ranks: String(id % 9) })),
  { id: 9_999, userid: 0, ranks: '30' },
]

test('RunningJobReader looks through all jobs where Flux cannot choose by rank and says so (0.53 to 0.63)', async (t) => {
  const choosesNot = (args: JsonObject) =>
    JSON.stringify(args).includes('"ranks":[') ? ERRNO.EPROTO : listOf(BYPASSED)(args)
  const { read } = await setUp(t, { [LIST]: choosesNot })
  const { ranks, highest, listed } = await read('0-8', { run: 1_501 })
  assert.deepEqual([formatIdset(ranks), highest?.id, listed?.areAll], ['8,30', 9_999, false])
})

test('RunningJobReader looks through all jobs where Flux ignores which ranks are asked for (before 0.53)', async (t) => {
  const ignores = ({ max_entries }: JsonObject) => ({
    jobs: BYPASSED.slice(0, Number(max_entries)),
  })
  const { read } = await setUp(t, { [LIST]: ignores })
  assert.deepEqual(formatIdset((await read('0-8', { run: 1_501 })).ranks), '8,30')
})

test('RunningJobReader gives no ranks where Flux cannot choose by rank and too many jobs run', async (t) => {
  const jobs = Array.from({ length: 20_000 }, (_, id) => ({ id, userid: 7, ranks: '3' }))
  const choosesNot = (args: JsonObject) =>
    JSON.stringify(args).includes('"ranks":[') ? ERRNO.EPROTO : listOf(jobs)(args)
  const { read } = await setUp(t, { [LIST]: choosesNot })
  await assert.rejects(read('0-8', { run: 20_000 }), {
    code: 'FLUX_PROTOCOL',
    message: /more than 10000 jobs run/,
  })
})

test('RunningJobReader gives no ranks if the list of the highest ones is cut, too', async (t) => {
  const jobs = Array.from({ length: 1_000 }, (_, id) => ({ id, userid: 7, ranks: '9' }))
  const { read } = await setUp(t, { [LIST]: listOf(jobs) })
  await assert.rejects(read('0-9', { run: 5_000 }), { code: 'FLUX_PROTOCOL' })
})

test('RunningJobReader gives no ranks if more jobs run than it lists, and none is allocated', async (t) => {
  const jobs = Array.from({ length: 1_000 }, (_, id) => ({ id, userid: 7, ranks: '0' }))
  const { read } = await setUp(t, { [LIST]: { jobs } })
  await assert.rejects(read('', { run: 1_500 }), {
    code: 'FLUX_PROTOCOL',
    message: /more than 1000 jobs run/,
  })
})

test('RunningJobReader passes on every error that may go away', async (t) => {
  const { read, asked } = await setUp(t, { [LIST]: ERRNO.EAGAIN })
  await assert.rejects(read('0'), { code: 'FLUX_REMOTE', errnum: ERRNO.EAGAIN })
  await assert.rejects(read('0'), { code: 'FLUX_REMOTE', errnum: ERRNO.EAGAIN })
  assert.equal(asked.length, 2)
})

test('RunningJobReader does without a list that Flux refuses, unless no rank would be known', async (t) => {
  const { read } = await setUp(t, { [LIST]: ERRNO.EINVAL })
  assert.deepEqual(summary(await read('0')), [undefined, ''])
  await assert.rejects(read(''), { code: 'FLUX_REMOTE', errnum: ERRNO.EINVAL })
})
