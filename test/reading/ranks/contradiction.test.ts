// Contradictions between the answers of one reading; what follows from one is in instance-reader.test.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ResourceStatus } from '#flux/calls/resource-calls.ts'
import { EMPTY_IDSET, parseIdset } from '#flux/sets/idset.ts'
import { contradictionOf } from '#reading/ranks/contradiction.ts'
import { ranksWith } from '../../support/snapshots.ts'

const NOTHING = ranksWith('', { cores: '0' })

/** Ranks 0 to 3 are in R, and 2 and 3 are down unless `down` says otherwise. */
function contradict(changes: Partial<ResourceStatus>, down = '2-3'): string | undefined {
  const sched = {
    all: ranksWith('0-3', { cores: '0' }),
    allocated: NOTHING,
    down: ranksWith(down, { cores: '0' }),
    hostlists: [],
    properties: new Map(),
  }
  const status = { offline: EMPTY_IDSET, torpid: EMPTY_IDSET, drains: [], ...changes }
  return contradictionOf(sched, status)
}

function drained(ranks: string): Pick<ResourceStatus, 'drains'> {
  return { drains: [{ ranks: parseIdset(ranks), reason: '', drainedAt: undefined }] }
}

test('contradictionOf finds none if offline and drained ranks are down, whatever is not in R', () => {
  assert.equal(contradict({ offline: parseIdset('2,9'), ...drained('3,8') }), undefined)
})

test('contradictionOf finds ranks that are offline or drained, and up', () => {
  const cure = 'if this lasts, reload the scheduler (flux module reload)'
  assert.equal(contradict({ offline: parseIdset('1') }), `rank 1 is both offline and up; ${cure}`)
  assert.equal(contradict(drained('0-1,3')), `ranks 0-1 are both drained and up; ${cure}`)
})

test('contradictionOf finds ranks that are down but not in R', () => {
  assert.match(contradict({}, '2-4') ?? '', /^rank 4 is down but not in R; /)
})

test('contradictionOf names no more ranks than a person reads', () => {
  const every = Array.from({ length: 500 }, (_, index) => 4 + 2 * index).join()
  const text = contradict({}, `2-3,${every}`) ?? ''
  assert.match(text, /^ranks 4,6,8,.*… are down but not in R; /)
  assert.ok(text.length < 200)
})
