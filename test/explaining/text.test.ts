import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Explanation, QueueExplanation } from '#explaining/explanation.ts'
import { formatExplanation } from '#explaining/text.ts'

const NONE = { jobs: 0, nodes: 0, held: 0, infeasible: 0, ineligible: 0, isCut: false }

const EXPLANATION: Explanation = {
  summary: 'desired 10: rank 9 is allocated',
  takenAt: '2026-11-24T01:02:03.456Z',
  ageSeconds: 2.4,
  desired: 10,
  present: 11,
  floor: 10,
  demand: 7,
  quorum: 1,
  maximum: 16,
  floorHolder: { rank: 9, job: null, user: null, endsInSeconds: null },
  pending: NONE,
  queues: [],
  drains: [],
  lost: '',
  reasons: ['rank 9 is allocated'],
  warnings: [],
  unknowns: [],
  notices: [{ kind: 'reason', code: 'rank-busy', text: 'rank 9 is allocated' }],
}

function queue(name: string, changes: Partial<QueueExplanation> = {}): QueueExplanation {
  return { name, desired: 8, started: true, pending: { ...NONE, jobs: 1, nodes: 2 }, ...changes }
}

test('formatExplanation is short if there is no warning and no queue', () => {
  assert.equal(
    formatExplanation(EXPLANATION),
    `desired 10: rank 9 is allocated
nodes    present 11, desired 10, floor 10, demand 7, quorum 1, maximum 16
goes     rank 10, when it shrinks to 10
pending  no job
read     2 s ago, at 2026-11-24T01:02:03.456Z
`,
  )
})

test('formatExplanation begins each line with its subject, and indents what follows', () => {
  const text = formatExplanation({
    ...EXPLANATION,
    summary:
      'desired 10: rank 9 runs job ƒ2aK of user 1000, which ends within 41 min; 3 pending jobs need 6 nodes, up to rank 5; an HPA with the default tolerance stays at 11',
    pending: { ...NONE, jobs: 3, nodes: 6, held: 1, infeasible: 2 },
    queues: [
      queue('batch'),
      queue('empty', { pending: NONE }),
      queue('debug', { started: false, pending: NONE, desired: null }),
      queue('old', { started: false, pending: { ...NONE, ineligible: 2 } }),
    ],
    drains: [
      { ranks: '8-9', reason: 'flux-metrics/default/flux-sample: scale-down to 8', isOwn: true },
      { ranks: '1', reason: 'broken fan', isOwn: false },
    ],
    warnings: [
      'an HPA with the default tolerance of 10 % stays at 11: set tolerance 0 in its behavior',
    ],
    unknowns: ['the GPUs of pending jobs: Flux does not show guests'],
  })
  assert.equal(
    text,
    `desired 10: rank 9 runs job ƒ2aK of user 1000, which ends within 41 min; 3
  pending jobs need 6 nodes, up to rank 5; an HPA with the default tolerance
  stays at 11
nodes    present 11, desired 10, floor 10, demand 7, quorum 1, maximum 16
goes     rank 10, when it shrinks to 10
pending  3 jobs for 6 nodes, 1 held, 2 infeasible
queue    batch: 1 job for 2 nodes, desired 8
queue    debug: no job, stopped
queue    old: 2 not eligible, desired 8, stopped
drained  8-9 by the sidecar (flux-metrics/default/flux-sample: scale-down to 8)
warning  an HPA with the default tolerance of 10 % stays at 11: set tolerance 0
         in its behavior
unknown  the GPUs of pending jobs: Flux does not show guests
read     2 s ago, at 2026-11-24T01:02:03.456Z
`,
  )
})

test('formatExplanation says that not all jobs are counted', () => {
  const pending = { ...NONE, jobs: 10_000, nodes: 40_000, isCut: true }
  const text = formatExplanation({ ...EXPLANATION, pending })
  assert.match(text, /^pending {2}at least 10000 jobs for 40000 nodes$/m)
})

test('formatExplanation writes unknown values', () => {
  const unknown = { desired: null, floor: null, demand: null, maximum: null, pending: null }
  const lines = formatExplanation({ ...EXPLANATION, ...unknown }).split('\n')
  assert.deepEqual(lines.slice(1, 3), [
    'nodes    present 11, desired unknown, floor unknown, demand unknown, quorum 1',
    'pending  unknown',
  ])
})

test('formatExplanation lists at most five queues', () => {
  const queues = Array.from({ length: 8 }, (_, index) => queue(`q${index}`))
  const lines = formatExplanation({ ...EXPLANATION, queues }).split('\n')
  assert.deepEqual(
    lines.filter((line) => line.startsWith('queue')).map((line) => line.slice(9, 19)),
    ['q0: 1 job ', 'q1: 1 job ', 'q2: 1 job ', 'q3: 1 job ', 'q4: 1 job ', 'and 3 more'],
  )
})

test('formatExplanation stays within 80 columns, except for a longer word', () => {
  const word = 'x'.repeat(100)
  const warnings = [`${'word '.repeat(100)}end`, `a ${word} b`]
  const lines = formatExplanation({ ...EXPLANATION, warnings }).split('\n')
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [`         ${word}`],
  )
  assert.equal(lines.join(' ').match(/word/g)?.length, 100)
})

test('formatExplanation escapes what nobody sees', () => {
  const warnings = ['rank 2 is drained ("\u001b[2J\n\u009b31m\u202e")']
  const text = formatExplanation({ ...EXPLANATION, warnings })
  assert.ok(text.includes('\\u{1b}[2J\\u{a}\\u{9b}31m\\u{202e}")\n'))
})
