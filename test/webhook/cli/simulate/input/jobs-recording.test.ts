import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isRecording,
  readRecording,
} from '../../../../../webhook/cli/simulate/input/jobs-recording.ts'

/** As `flux jobs -a --json` prints them, with fields that are not needed. */
const JOBS = {
  jobs: [
    {
      id: 2,
      t_submit: 1_100.5,
      t_run: 1_130,
      t_cleanup: 1_190,
      t_inactive: 1_191,
      nnodes: 2,
      ncores: 16,
      ntasks: 2,
      duration: 3_600,
      urgency: 16,
      name: 'hostname',
    },
    {
      id: 1,
      t_submit: 1_000,
      t_run: 1_001,
      t_inactive: 1_011,
      nnodes: 1,
      ncores: -1,
      ntasks: 1,
      duration: 0,
    },
    // Canceled before it ran, and one that had not ended.
    { id: 3, t_submit: 1_200.25, t_inactive: 1_260, nnodes: 4, duration: 60, queue: 'batch' },
    { id: 4, t_submit: 1_210, t_run: 1_220, nnodes: 4, duration: 60 },
  ],
}

const ONE = { atMs: 0, job: { nodes: 1, tasks: 1, duration: 10 } }
const TWO = {
  atMs: 100_500,
  job: { nodes: 2, cores: 16, tasks: 2, urgency: 16, duration: 60, timeLimit: 3_600 },
}
const CANCELED = {
  atMs: 200_250,
  job: { nodes: 4, timeLimit: 60, queue: 'batch' },
  cancelAfterMs: 59_750,
}

function read(text: string) {
  const { found, problems } = readRecording(text, 'jobs.json')
  const [recording] = found
  return {
    problems,
    warnings: recording?.warnings,
    arrivals: recording?.jobs.map(({ arrival }) => arrival),
    places: recording?.jobs.map(({ place }) => place()),
  }
}

test('readRecording keeps when jobs were submitted, how long they ran or waited, and what they requested', () => {
  const text = JSON.stringify(JOBS, undefined, 1)
  assert.ok(isRecording(text))
  assert.deepEqual(read(text), {
    problems: [],
    warnings: ['jobs.json: warning: 1 of 4 jobs had not ended and are left out'],
    arrivals: [TWO, ONE, CANCELED],
    places: ['jobs.json:3', 'jobs.json:16', 'jobs.json:26'],
  })
})

test('readRecording reads a job alone (flux jobs --json ID), and jobs line by line', () => {
  const [two, one] = JOBS.jobs
  const alone = JSON.stringify(one)
  assert.ok(isRecording(alone))
  assert.deepEqual(read(alone).arrivals, [ONE])
  const lines = `${alone}\n${JSON.stringify(two)}\n`
  assert.ok(isRecording(lines))
  assert.deepEqual(read(lines), {
    problems: [],
    warnings: [],
    arrivals: [ONE, TWO],
    places: ['jobs.json:1', 'jobs.json:2'],
  })
})

test('readRecording keeps parts of milliseconds from ending a run', () => {
  const jobs = [{ t_submit: 1.000_25, t_run: 2.000_1, t_cleanup: 162.065_35, ncores: 1 }]
  const [arrival] = read(JSON.stringify({ jobs })).arrivals ?? []
  assert.equal(arrival?.atMs, 0)
  assert.ok(Math.abs((arrival?.job.duration ?? 0) - 160.065_25) < 1e-9)
})

test('readRecording takes empty fields, as older releases print them, for unknown ones', () => {
  const job = {
    t_submit: 1,
    t_run: 2,
    t_cleanup: 5,
    t_inactive: 0,
    nnodes: '',
    ncores: '',
    ntasks: 4,
    queue: '',
  }
  assert.deepEqual(read(JSON.stringify({ jobs: [job] })).arrivals, [
    { atMs: 0, job: { tasks: 4, duration: 3 } },
  ])
})

test('isRecording tells recordings from Kubernetes objects', () => {
  assert.ok(!isRecording('kind: Queue'))
  assert.ok(!isRecording('{"kind": "List", "jobs": []}'))
  assert.ok(isRecording('{}'))
  assert.ok(isRecording('\uFEFF{"jobs": []}'))
})

/** Texts that are no recordings, and what is said of them. */
for (const [text, problem] of [
  [
    '{"jobs": [\n{"t_submit": 1},\n{"t_submit": "now"}]}',
    'jobs.json:3: t_submit: expected a number, got "now"',
  ],
  [
    '{"jobs": [{"t_submit": 1, "t_run": 1, "t_cleanup": 2, "nnodes": 1.5}]}',
    'jobs.json:1: nnodes: expected a whole number, got 1.5',
  ],
  ['{"jobs": [{}]}', 'jobs.json:1: t_submit: expected a value, got none'],
  ['{"jobs": ["one"]}', 'jobs.json:1: expected a map, got "one"'],
  ['{"jobs": []}', 'jobs.json: expected at least one job that has ended, found none'],
  ['{}', 'jobs.json:1: t_submit: expected a value, got none'],
] as const) {
  test(`readRecording refuses ${text.replaceAll('\n', ' ')}`, () => {
    assert.deepEqual(read(text).problems, [problem])
  })
}

test('readRecording refuses what is not JSON, and stops after ten wrong jobs', () => {
  assert.match(
    read('{"t_submit": 1}\n{"jobs": [').problems.join(),
    /^jobs\.json:2: expected JSON as "flux jobs -a --json" prints it: /,
  )
  const jobs = Array.from({ length: 1_000 }, () => ({}))
  assert.equal(read(JSON.stringify({ jobs })).problems.length, 10)
})

test('readRecording refuses a count that is not exact in JSON', () => {
  const { problems } = read('{"t_submit":1,"t_run":2,"t_cleanup":30,"nnodes":1e18}')
  assert.deepEqual(problems, [
    'jobs.json:1: nnodes: expected at most 9007199254740991, got 1000000000000000000',
  ])
})
