import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRecording, readRecording } from '../../../../webhook/cli/simulate/jobs-recording.ts'

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
    { id: 3, t_submit: 1_200, nnodes: 4, duration: 60 },
  ],
}

test('readRecording keeps when jobs were submitted, how long they ran and what they requested', () => {
  const text = JSON.stringify(JOBS)
  assert.ok(isRecording(text))
  assert.deepEqual(readRecording(text, 'jobs.json'), {
    found: [
      [
        { atMs: 0, job: { nodes: 1, tasks: 1, duration: 10 } },
        {
          atMs: 100_500,
          job: { nodes: 2, cores: 16, tasks: 2, urgency: 16, duration: 60, timeLimit: 3_600 },
        },
      ],
    ],
    problems: [],
  })
})

test('isRecording recognizes recordings, and readRecording refuses malformed ones', () => {
  assert.ok(!isRecording('kind: Queue'))
  assert.ok(!isRecording('{"kind": "List", "jobs": []}'))
  assert.deepEqual(readRecording('{"jobs": [{"t_submit": "now"}]}', 'jobs.json').problems, [
    'jobs.json: jobs.0.t_submit: expected number, got "now"',
  ])
  assert.deepEqual(readRecording('{"jobs": [', 'jobs.json').problems, [
    'jobs.json: expected JSON as "flux jobs -a --json" prints it',
  ])
  assert.deepEqual(readRecording('{"jobs": []}', 'jobs.json').problems, [
    'jobs.json: expected at least one job that ran',
  ])
})
