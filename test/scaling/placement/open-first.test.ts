// Where a job goes that fits on open ranks of another cluster.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_IDSET, parseIdset } from '#flux/sets/idset.ts'
import type { Ways } from '#scaling/placement/need.ts'
import { OpenFirst } from '#scaling/placement/open-first.ts'
import { type Domain, Placement } from '#scaling/placement/placement.ts'
import { ranksWith } from '../../support/snapshots.ts'

/** Ranks of four cores: 0 is open, 1 could be started, 2 and 3 are of another cluster. */
const ALL = ranksWith('0-3', { cores: '0-3' })

function domain(ranks: string): Domain {
  const usable = parseIdset(ranks)
  return { ranks: usable, usable, startable: usable }
}

function nodes(count: number): Ways {
  return [[{ nodes: count, slots: count, cores: 4, gpus: 0, exclusive: false }]]
}

function placement(burstedOpen: string): OpenFirst {
  const ranks = { open: parseIdset('0'), burstedOpen: parseIdset(burstedOpen) }
  return new OpenFirst(new Placement(ALL, ALL), ranks)
}

test('OpenFirst places a job on open ranks before it starts pods, then on ours first', () => {
  const jobs = placement('2-3')
  const every = domain('0-3')
  assert.deepEqual(jobs.place(nodes(2), every), { kind: 'placed', ranks: parseIdset('0,2') })
  assert.deepEqual(jobs.place(nodes(2), every), { kind: 'placed', ranks: parseIdset('1,3') })
  assert.deepEqual(jobs.place(nodes(1), every), { kind: 'waits', ranks: parseIdset('0') })
  assert.deepEqual(jobs.place(nodes(5), every), { kind: 'infeasible' })
})

test('OpenFirst is the placement alone where no rank of another cluster is open, or none in the domain', () => {
  for (const jobs of [placement(''), placement('2-3')]) {
    const place = jobs.place(nodes(2), domain('0-1'))
    assert.deepEqual(place, { kind: 'placed', ranks: parseIdset('0-1') })
  }
  const none = placement('').place(nodes(1), { ...domain('0'), usable: EMPTY_IDSET })
  assert.deepEqual(none, { kind: 'waits', ranks: parseIdset('0') })
})
