import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '#explaining/explanation.ts'
import { describeTried, describeUnhelped } from '#explaining/jobs/unstarted-jobs.ts'
import { SnapshotMaker } from '#scaling/snapshot-maker.ts'
import type { UnstartedJob } from '#scaling/unstarted/unstarted-jobs.ts'
import { factsOf, ranksWith } from '../../support/snapshots.ts'
import { TAKEN_AT, waitingFor, wholeNodes } from '../../support/waiting.ts'

const takenAt = new Date(TAKEN_AT * 1000)

/** ƒ2aK, which was submitted twelve minutes ago and was set aside. */
const JOB: UnstartedJob = {
  id: 5296,
  queue: undefined,
  submittedAt: TAKEN_AT - 720,
  freeNodes: 4,
  fits: true,
  size: undefined,
  isGrown: true,
  absentNodes: 0,
}

function unhelped(...jobs: readonly UnstartedJob[]): readonly string[] {
  return describeUnhelped({ takenAt, unstarted: jobs }).map(({ text }) => text)
}

test('a job that more nodes did not help', () => {
  assert.deepEqual(unhelped(JOB), [
    'ƒ2aK has waited 12 min although 4 nodes are free; more nodes did not help: see flux job eventlog ƒ2aK',
  ])
})

test('where there were no more nodes, or some did not come, that is said', () => {
  assert.deepEqual(unhelped({ ...JOB, isGrown: false }, { ...JOB, absentNodes: 1 }), [
    'ƒ2aK has waited 12 min although 4 nodes are free; there are no more nodes for it: see flux job eventlog ƒ2aK',
    'ƒ2aK has waited 12 min although 4 nodes are free; more nodes did not help, and 1 node did not come: see flux job eventlog ƒ2aK',
  ])
})

test('what was free when it fitted last is said to have been free', () => {
  const [was] = unhelped({ ...JOB, fits: false, freeNodes: 1 })
  assert.match(was ?? '', /^ƒ2aK has waited 12 min although 1 node was free; /)
  const [are] = unhelped({ ...JOB, freeNodes: 1 })
  assert.match(are ?? '', /although 1 node is free; /)
})

test('a job for which the size grows', () => {
  const unstarted = [{ ...JOB, size: 9 }, JOB]
  assert.deepEqual(describeTried({ takenAt, unstarted }), [
    {
      kind: 'reason',
      code: 'growth-tried',
      text: 'ƒ2aK has waited 12 min although 4 nodes are free: a size of 9 is tried',
    },
  ])
})

test('only a few jobs are named', () => {
  assert.deepEqual(unhelped(...Array(7).fill(JOB)).slice(5), ['2 more jobs of this kind'])
  assert.deepEqual(unhelped(), [])
  assert.deepEqual(describeTried({ takenAt }), [])
})

test('explain says for which job the size grows, and which job was set aside', () => {
  const snapshots = new SnapshotMaker({ patience: { idleGraceMs: 0 }, drains: undefined })
  const job = wholeNodes(1, { id: 5296, submittedAt: TAKEN_AT - 720 })
  const queues = new Map([['', { started: true, ranks: undefined }]])
  const facts = factsOf({
    allocated: ranksWith('0-5', { cores: '0-7' }),
    waiting: waitingFor(job),
    queues,
  })
  const explainAt = (now: number) => explain(snapshots.make(facts, now).snapshot, takenAt)
  for (let now = 0; now < 60_000; now += 10_000) assert.equal(explainAt(now).desired, 7)
  const { summary } = explainAt(60_000)
  assert.equal(
    summary,
    'desired 11: ƒ2aK has waited 12 min although 4 nodes are free: a size of 11 is tried; ' +
      '1 pending job needs 1 node, up to rank 6; rank 5 is allocated; ' +
      'an HPA with the default tolerance stays at 10',
  )
  for (let now = 70_000; now < 3_600_000; now += 10_000) explainAt(now)
  const { desired, reasons, warnings } = explainAt(3_600_000)
  assert.equal(desired, 7)
  assert.ok(!reasons.some((reason) => reason.includes('tried')))
  const [warning] = warnings.filter((one) => one.includes('ƒ2aK'))
  assert.equal(
    warning,
    'ƒ2aK has waited 12 min although 4 nodes are free; more nodes did not help, and 6 nodes did not come: ' +
      'see flux job eventlog ƒ2aK',
  )
})
