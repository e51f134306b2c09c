// Settings of Fluxion that defeat autoscaling, and its refusals, as they were recorded.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeTraps } from '#explaining/scheduler-traps.ts'
import type { FluxionSettings } from '#flux/calls/fluxion.ts'

const GOOD: FluxionSettings = {
  queuePolicy: 'fcfs',
  matchPolicy: 'lonode',
  pruneFilters: 'ALL:core',
}

const REFUSES =
  /^Fluxion \(0\.43 and later\) with queue-policy "fcfs" refuses .*prune-filters = "ALL:core"/
const FILLS = /match-policy = "lonode"$/

/** Settings, and which traps are in them. */
const SETTINGS: readonly (readonly [
  what: string,
  changes: Partial<FluxionSettings>,
  traps: readonly RegExp[],
])[] = [
  ['those that work', {}, []],
  ['the defaults', { matchPolicy: undefined, pruneFilters: undefined }, [REFUSES, FILLS]],
  ['fcfs that prunes by node', { pruneFilters: 'ALL:core,ALL:node' }, [REFUSES]],
  ['fcfs that prunes by node of a cluster', { pruneFilters: 'cluster:node' }, [REFUSES]],
  [
    'conservative, whatever it prunes by',
    { queuePolicy: 'conservative', pruneFilters: undefined },
    [],
  ],
  ['easy', { queuePolicy: 'easy', pruneFilters: undefined }, []],
  ['hinode', { matchPolicy: 'hinode' }, [FILLS]],
  ['first', { matchPolicy: 'first' }, [FILLS]],
  ['lonodex', { matchPolicy: 'lonodex' }, []],
  ['low', { matchPolicy: 'low' }, []],
  ['lonode among other settings', { matchPolicy: 'policy=lonode set_stop_on_1_matches=true' }, []],
  ['high among other settings', { matchPolicy: 'policy=high' }, [FILLS]],
]

for (const [what, changes, traps] of SETTINGS) {
  test(`describeTraps of ${what} finds ${traps.length}`, () => {
    const found = describeTraps({ ...GOOD, ...changes })
    assert.equal(found.length, traps.length)
    for (const [index, trap] of traps.entries()) assert.match(found[index] ?? '', trap)
  })
}

test('describeTraps finds none without Fluxion', () => {
  assert.deepEqual(describeTraps(undefined), [])
})

test('describeTraps names the policy that is set, and the default as such', () => {
  assert.match(describeTraps({ ...GOOD, matchPolicy: 'hinode' })[0] ?? '', /match-policy "hinode"/)
  assert.match(describeTraps({ ...GOOD, matchPolicy: undefined })[0] ?? '', /"first", its default/)
})
