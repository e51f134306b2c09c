// The sentences of an explanation with extreme values: nothing, one, very many, for ever, unknown. Each must be right, and
// readable.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '#explaining/explanation.ts'
import { formatExplanation } from '#explaining/text.ts'
import { EMPTY_IDSET, parseIdset } from '#flux/sets/idset.ts'
import type { EndedJob, Facts } from '#reading/facts.ts'
import { unknown } from '#reading/unknown.ts'
import { SnapshotMaker } from '#scaling/snapshot-maker.ts'
import { factsOf, jobCounts, ranksWith } from '../support/snapshots.ts'
import { waitingFor, waitingJob, wholeNodes } from '../support/waiting.ts'

const TAKEN_AT = factsOf().takenAt
const SECONDS = TAKEN_AT.getTime() / 1000
const NOTHING = ranksWith('', { cores: '0-7' })
const NO_JOBS = {
  kind: 'known',
  queues: new Map(),
  total: { ...jobCounts(0), depend: 0, priority: 0 },
} as const

/** One full node, which is all of R. */
const ONE_FULL = {
  all: ranksWith('0', { cores: '0-7' }),
  allocated: ranksWith('0', { cores: '0-7' }),
  offline: EMPTY_IDSET,
}

const IDLE = { allocated: NOTHING }

const JOB = { id: 5296, userid: 1000, ranks: parseIdset('6') }

const REFUSED: EndedJob = {
  ...{ id: 1, queue: undefined, inactiveAt: SECONDS, exceptionType: 'alloc' },
  exceptionNote: 'alloc denied due to type="unsatisfiable"',
  ...{ nnodes: 12, ncores: 12, ntasks: 12, upThen: 10 },
}

const FCFS = { queuePolicy: 'fcfs', matchPolicy: 'lonode', pruneFilters: undefined }

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** What was read, and the reasons for the size. */
const REASONS: readonly (readonly [
  what: string,
  facts: Partial<Facts>,
  reasons: readonly string[],
])[] = [
  [
    'very many jobs of one core on a full node',
    { ...ONE_FULL, waiting: waitingFor(...times(887, (id) => waitingJob({ id }))) },
    [
      'rank 0 is allocated',
      '887 pending jobs need 1 node, up to rank 0',
      'R has no more than 1 node',
    ],
  ],
  [
    'many jobs of one core on free nodes',
    { ...IDLE, waiting: waitingFor(...times(20, (id) => waitingJob({ id }))) },
    ['20 pending jobs need 3 nodes, up to rank 2'],
  ],
  [
    'jobs that need one after the other all nodes',
    { ...IDLE, waiting: waitingFor(...times(1000, (id) => wholeNodes(16, { id }))) },
    ['1000 pending jobs need 16 nodes, up to rank 15', 'R has no more than 16 nodes'],
  ],
  [
    'one job of one core',
    { ...IDLE, waiting: waitingFor(waitingJob()) },
    ['1 pending job needs 1 node, up to rank 0'],
  ],
  [
    'a job for ranks that are all drained',
    {
      ...IDLE,
      drains: [{ ranks: parseIdset('0-15'), reason: 'cooling', drainedAt: 0 }],
      waiting: waitingFor(waitingJob()),
    },
    [
      '1 pending job needs ranks that are drained, do not answer or are not used by the scheduler: more nodes do not help',
    ],
  ],
  [
    'two such jobs',
    {
      ...IDLE,
      closed: parseIdset('0-15'),
      waiting: waitingFor(waitingJob({ id: 1 }), waitingJob({ id: 2 })),
    },
    [
      '2 pending jobs need ranks that are drained, do not answer or are not used by the scheduler: more nodes do not help',
    ],
  ],
  [
    'jobs of unknown width',
    {
      ...IDLE,
      waiting: waitingFor(...times(2, (id) => waitingJob({ id, request: unknown('odd') }))),
    },
    [
      '2 pending jobs need nodes of a number that is not known, up to rank 15',
      'R has no more than 16 nodes',
    ],
  ],
  [
    'a time limit of 235 years',
    { highestJob: { ...JOB, expiration: SECONDS + 85_966 * 86_400 } },
    ['rank 6 runs job ƒ2aK of user 1000, which has no time limit'],
  ],
  [
    'a time limit of nine years',
    { highestJob: { ...JOB, expiration: SECONDS + 9 * 365 * 86_400 } },
    ['rank 6 runs job ƒ2aK of user 1000, which ends within 3285 d'],
  ],
  [
    'a time limit that is nearly over',
    { highestJob: { ...JOB, expiration: SECONDS + 0.3 } },
    ['rank 6 runs job ƒ2aK of user 1000, which ends within 1 s'],
  ],
  [
    'a time limit that is over',
    { highestJob: { ...JOB, expiration: SECONDS - 5 } },
    ['rank 6 runs job ƒ2aK of user 1000, whose time limit is over'],
  ],
  [
    'a time limit and a user that Flux does not say',
    { highestJob: { ...JOB, userid: undefined, expiration: undefined } },
    ['rank 6 runs job ƒ2aK'],
  ],
  ['a quorum above R', { ...IDLE, quorum: 99 }, ['Flux needs 99 nodes to start (quorum)']],
  ['nothing', IDLE, ['nothing runs, and no job waits for nodes']],
]

function explainAt(facts: Partial<Facts>, laterMs = 0) {
  const snapshots = new SnapshotMaker({ patience: { idleGraceMs: 0 }, drains: undefined })
  const { snapshot } = snapshots.make(factsOf({ jobs: NO_JOBS, ...facts }), 0)
  return explain(snapshot, new Date(TAKEN_AT.getTime() + laterMs))
}

for (const [what, facts, reasons] of REASONS) {
  test(`explain gives the right reasons for ${what}`, () => {
    assert.deepEqual(explainAt(facts).reasons, reasons)
  })
}

test('explain counts nodes of pending jobs by where they are placed, in all and by queue', () => {
  const jobs = times(887, (id) => waitingJob({ id, queue: 'batch' }))
  const explanation = explainAt({ ...ONE_FULL, waiting: waitingFor(...jobs) })
  assert.deepEqual([explanation.pending?.jobs, explanation.pending?.nodes], [887, 1])
  assert.equal(explanation.queues[0]?.pending.nodes, 1)
  assert.match(formatExplanation(explanation), /^pending {2}887 jobs for 1 node$/m)
})

test('a job that can be given no node is not said to be for 0 nodes', () => {
  const drains = [{ ranks: parseIdset('0-15'), reason: 'cooling', drainedAt: 0 }]
  const text = formatExplanation(explainAt({ ...IDLE, drains, waiting: waitingFor(waitingJob()) }))
  assert.match(text, /^pending {2}1 job that no node is given to$/m)
})

const AGAIN = 'because it asked for more nodes than were up: submit it again'
const NEVER = 'because R does not have what it asked for: no size helps; ask for what R has'

/** Refused jobs, and the warnings. */
const REFUSALS: readonly (readonly [facts: Partial<Facts>, warnings: readonly RegExp[]])[] = [
  [{ failed: [] }, []],
  [{ failed: [REFUSED] }, [new RegExp(`^1 job was refused in the last 10 min ${AGAIN}$`)]],
  [
    { failed: [{ ...REFUSED, nnodes: 17 }] },
    [new RegExp(`^1 job was refused in the last 10 min ${NEVER}$`)],
  ],
  [
    { failed: times(1000, (id) => ({ ...REFUSED, id })) },
    [
      /^1000 jobs were refused .* because they asked for more nodes than were up: submit them again$/,
    ],
  ],
  [
    { failed: [{ ...REFUSED, upThen: 12 }] },
    [
      /^1 job was refused .*, and it is not known whether more nodes would help: Flux does not show guests /,
    ],
  ],
]

for (const [facts, warnings] of REFUSALS) {
  test(`explain warns ${warnings.map(String).join(' and ') || 'of no refused job'}`, () => {
    const found = explainAt({ fluxion: FCFS, ...facts }).warnings.filter((one) =>
      one.includes('refused in'),
    )
    assert.equal(found.length, warnings.length)
    for (const [index, warning] of warnings.entries()) assert.match(found[index] ?? '', warning)
  })
}

test('no sentence shows a value that is none, a negative number, or a wrong plural', () => {
  const cases = [
    ...REASONS.map(([, facts]) => facts),
    ...REFUSALS.map(([facts]) => ({ fluxion: FCFS, ...facts })),
  ]
  for (const facts of cases) {
    for (const laterMs of [0, -3_600_000, 40 * 365 * 86_400_000]) {
      const text = formatExplanation(explainAt(facts, laterMs))
      assert.doesNotMatch(text, /undefined|NaN|null|Infinity|\[object|\s-\d/)
      assert.doesNotMatch(
        text,
        /(?<!\d)1 (nodes|jobs|ranks|pending jobs)|\b(0|[2-9]) (node|job|pending job)\b|\bfor 0 nodes/,
      )
      assert.doesNotMatch(text, /\d{5,} (d|h|min|s)\b/)
    }
  }
})
