import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '#explaining/explanation.ts'
import type { RunningJob } from '#flux/calls/job-list-calls.ts'
import { EMPTY_IDSET, parseIdset } from '#flux/sets/idset.ts'
import type { Facts, WaitingJob } from '#reading/facts.ts'
import { unknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { SnapshotMaker } from '#scaling/snapshot-maker.ts'
import { factsOf, jobCounts, ranksWith, snapshotOf } from '../support/snapshots.ts'
import { waitingFor, waitingJob, wholeNodes } from '../support/waiting.ts'

const TAKEN_AT = factsOf().takenAt
const SECONDS = TAKEN_AT.getTime() / 1000
const IDLE = ranksWith('', { cores: '0-7' })

/** ƒ2aK */
const JOB: RunningJob = {
  id: 5296,
  userid: 1000,
  ranks: parseIdset('9'),
  expiration: SECONDS + 41 * 60,
}

/** A job that has waited for whole nodes for one minute. */
function waiting(nnodes: number, changes: Partial<WaitingJob> = {}): WaitingJob {
  return wholeNodes(nnodes, { submittedAt: SECONDS - 60, ...changes })
}

function explainAt(changes: Partial<Snapshot>, laterMs = 0) {
  return explain(snapshotOf(changes), new Date(TAKEN_AT.getTime() + laterMs))
}

const NONE = { jobs: 0, nodes: 0, held: 0, infeasible: 0, ineligible: 0, isCut: false }

test('explain reports the job that holds the floor, the pending jobs, and the size of a tolerant HPA', () => {
  const { summary, ...explanation } = explainAt({
    offline: parseIdset('11-15'),
    allocated: ranksWith('9', { cores: '0-7' }),
    highestJob: JOB,
    waiting: waitingFor(waiting(2), waiting(2), waiting(2)),
  })
  assert.equal(
    summary,
    'desired 10: rank 9 runs job ƒ2aK of user 1000, which ends within 41 min; ' +
      '3 pending jobs need 6 nodes, up to rank 5; an HPA with the default tolerance stays at 11',
  )
  const { floorHolder, pending, desired, present, floor, demand, quorum, maximum } = explanation
  assert.deepEqual(
    { desired, present, floor, demand, quorum, maximum },
    { desired: 10, present: 11, floor: 10, demand: 7, quorum: 1, maximum: 16 },
  )
  const holder = { rank: 9, job: 'ƒ2aK', user: 1000, endsInSeconds: 41 * 60 }
  assert.deepEqual(floorHolder, holder)
  assert.deepEqual(pending, { ...NONE, jobs: 3, nodes: 6 })
})

test('explain counts ages and remaining times from the given time', () => {
  const allocated = ranksWith('9', { cores: '0-7' })
  const { ageSeconds, floorHolder, takenAt } = explainAt({ allocated, highestJob: JOB }, 60_000)
  assert.deepEqual([ageSeconds, floorHolder?.endsInSeconds], [60, 40 * 60])
  assert.equal(takenAt, '2026-11-24T01:02:03.456Z')
})

test('explain puts the reason for the larger size first', () => {
  const { reasons } = explainAt({ waiting: waitingFor(waiting(5)) })
  assert.deepEqual(reasons, ['1 pending job needs 5 nodes, up to rank 11', 'rank 6 is allocated'])
})

test('explain says that a job has no time limit', () => {
  const allocated = ranksWith('0', { cores: '0' })
  const highestJob = { ...JOB, ranks: parseIdset('0'), expiration: 0 }
  const { reasons, floorHolder } = explainAt({ allocated, highestJob })
  assert.deepEqual(reasons, ['rank 0 runs job ƒ2aK of user 1000, which has no time limit'])
  assert.equal(floorHolder?.endsInSeconds, null)
})

test('explain says that nothing runs and no job waits', () => {
  const { reasons, floorHolder, desired } = explainAt({ allocated: IDLE })
  assert.deepEqual(reasons, ['nothing runs, and no job waits for nodes'])
  assert.deepEqual([desired, floorHolder], [1, null])
})

test('explain names the quorum if nothing else needs as many nodes', () => {
  const { reasons, desired } = explainAt({ allocated: IDLE, quorum: 4 })
  assert.deepEqual([desired, reasons], [4, ['Flux needs 4 nodes to start (quorum)']])
})

test('explain says that R has no more nodes', () => {
  const { reasons, desired } = explainAt({ waiting: waitingFor(waiting(9), waiting(9)) })
  assert.equal(desired, 16)
  assert.ok(reasons.includes('R has no more than 16 nodes'))
})

/** Said while a job waits whose jobspec was not read. */
const AS_GUEST =
  'the constraints of pending jobs: Flux does not show this to guests: run the sidecar with the UID of the broker ' +
  '(annotation flux-metrics/run-as-user); a job that fits on free nodes and is not started gets more of them'

test('explain says that the list of pending jobs was cut', () => {
  const cut = {
    kind: 'known',
    jobs: [waiting(1)],
    total: 2,
    lacksStartable: true,
    unknownRequests: undefined,
  } as const
  const { reasons, unknowns, desired, demand, pending } = explainAt({ waiting: cut })
  assert.deepEqual([desired, demand], [16, 16])
  assert.equal(reasons[0], 'more jobs wait than the sidecar lists: they may need every node of R')
  assert.deepEqual(unknowns, [
    'the jobs that are not listed: more jobs wait than the sidecar lists',
    AS_GUEST,
  ])
  assert.equal(pending?.isCut, true)
})

/** Explains the last of several readings, `gapMs` apart. */
function explainLast(
  readings: readonly Partial<Facts>[],
  { gapMs, drains }: { readonly gapMs: number; readonly drains?: { readonly instance: string } },
) {
  const snapshots = new SnapshotMaker({ drains })
  const drawn = readings.map((facts, at) => snapshots.make(factsOf(facts), at * gapMs).snapshot)
  const last = drawn.at(-1)
  assert.ok(last)
  return explain(last, TAKEN_AT)
}

test('explain names the size that was needed a moment ago', () => {
  const readings = [{ waiting: waitingFor(waiting(5)) }, { allocated: IDLE }]
  const { reasons, desired } = explainLast(readings, { gapMs: 1000 })
  assert.equal(desired, 12)
  assert.equal(reasons[0], '12 nodes were needed a moment ago')
})

test('explain says that a rank was released a moment ago', () => {
  const { reasons, floor } = explainLast([{}, { allocated: IDLE }], { gapMs: 1000 })
  assert.equal(floor, 10)
  assert.ok(reasons.includes('rank 9 is kept because it was busy, or first seen, a moment ago'))
})

test('explain names the ranks that are being drained, and which drains are our own', () => {
  const instance = 'default/flux-sample'
  const ours = {
    ranks: parseIdset('8-9'),
    reason: `flux-metrics/${instance}: scale-down to 7`,
    drainedAt: 0,
  }
  const theirs = { ranks: parseIdset('1'), reason: 'broken fan', drainedAt: 0 }
  const draining = explainLast([{}, { drains: [theirs] }], {
    gapMs: 100_000,
    drains: { instance },
  })
  assert.equal(draining.desired, 10)
  assert.equal(draining.reasons[0], 'ranks 7-9 are being drained before the size falls to 7')
  const drained = explainLast([{ drains: [ours, theirs] }], { gapMs: 0, drains: { instance } })
  assert.deepEqual(drained.drains, [
    { ranks: '8-9', reason: ours.reason, isOwn: true },
    { ranks: '1', reason: 'broken fan', isOwn: false },
  ])
})

test('explain names the ranks that are lost', () => {
  const { reasons, lost } = explainAt({ lost: parseIdset('3') })
  assert.equal(lost, '3')
  assert.ok(reasons.includes('rank 3 is given up after a long time offline'))
  assert.equal(explainAt({ lost: EMPTY_IDSET }).lost, '')
})

test('explain describes each queue', () => {
  const { queues } = explainAt({
    queues: new Map([
      ['batch', { started: true, ranks: undefined }],
      ['debug', { started: false, ranks: parseIdset('15') }],
    ]),
    waiting: waitingFor(
      waiting(2, { queue: 'batch' }),
      waiting(1, { queue: 'batch', priority: 0 }),
      waiting(1, { queue: 'debug' }),
    ),
  })
  assert.deepEqual(queues, [
    {
      name: 'batch',
      desired: 9,
      started: true,
      pending: { ...NONE, jobs: 1, nodes: 2, held: 1 },
    },
    {
      name: 'debug',
      desired: 7,
      started: false,
      pending: { ...NONE, ineligible: 1 },
    },
  ])
})

test('explain counts the pending jobs that no size starts', () => {
  const { pending } = explainAt({
    queues: new Map([['', { started: true, ranks: undefined }]]),
    waiting: waitingFor(
      waiting(2, {}),
      waiting(17, {}),
      waiting(1, { priority: 0 }),
      waiting(1, { state: 'DEPEND' }),
      waiting(1, { state: 'PRIORITY', priority: undefined }),
    ),
  })
  assert.deepEqual(pending, { ...NONE, jobs: 1, nodes: 2, held: 1, infeasible: 1, ineligible: 2 })
})

test('explain reports an unknown size if Flux hides jobs, and gives the reason once', () => {
  const withheld = { kind: 'unknown', reason: 'Flux hides jobs from the sidecar' } as const
  const { summary, unknowns, ...explanation } = explainAt({ jobs: withheld, waiting: withheld })
  assert.equal(summary, 'desired unknown: Flux hides jobs from the sidecar')
  assert.deepEqual(unknowns, [
    'the size, the demand and the job counts: Flux hides jobs from the sidecar',
  ])
  const { desired, floor, demand, pending, queues } = explanation
  assert.deepEqual(
    { desired, floor, demand, pending, queues },
    { desired: null, floor: null, demand: null, pending: null, queues: [] },
  )
})

test('explain reports an unknown demand if a guest cannot see how many GPUs jobs ask for', () => {
  const jobs = [waiting(1, { nnodes: undefined, ncores: 4 })]
  const { desired, demand, floor, unknowns } = explainAt({
    waiting: {
      kind: 'known',
      jobs,
      total: 1,
      lacksStartable: false,
      unknownRequests: unknown('Flux does not show guests'),
    },
  })
  assert.deepEqual([desired, demand, floor], [null, null, 7])
  assert.deepEqual(unknowns, [
    'the size, the demand and the GPUs of pending jobs: Flux does not show guests',
    AS_GUEST,
  ])
})

for (const [desired, online, holds] of [
  [10, 11, true],
  [11, 10, true],
  [10, 9, false],
  [9, 10, true],
  [8, 9, false],
  [10, 10, false],
] as const) {
  test(`explain says ${holds ? '' : 'not '}that an HPA ignores ${desired} if ${online} nodes are online`, () => {
    const { summary, warnings, present } = explainAt({
      offline: parseIdset(`${online}-15`),
      allocated: IDLE,
      waiting: waitingFor(waiting(desired)),
      jobs: {
        kind: 'known',
        total: { ...jobCounts(0), depend: 0, priority: 0 },
        queues: new Map(),
      },
    })
    assert.equal(present, online)
    assert.equal(summary.includes(`an HPA with the default tolerance stays at ${online}`), holds)
    assert.equal(
      warnings.some((warning) => warning.includes('default tolerance')),
      holds,
    )
  })
}

test('explain says of a job with an unreadable jobspec that its nodes are not known, and why', () => {
  const request = unknown('Cannot read jobspec at resources: expected a list of resources, got 1')
  const { desired, reasons, unknowns } = explainAt({ waiting: waitingFor(waitingJob({ request })) })
  assert.equal(desired, 16)
  assert.equal(reasons[0], '1 pending job needs nodes of a number that is not known, up to rank 15')
  assert.deepEqual(unknowns, [`the nodes that some pending jobs need: ${request.reason}`])
})

test('explain does not show the end of R, decades away, as the end of a job', () => {
  const highestJob = { id: 1, userid: 1000, ranks: parseIdset('6'), expiration: 9_000_000_000 }
  const { floorHolder } = explainAt({ highestJob })
  assert.equal(floorHolder?.endsInSeconds, null)
})
