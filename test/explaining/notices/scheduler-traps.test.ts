// Settings of Fluxion that defeat autoscaling.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeTraps } from '#explaining/notices/scheduler-traps.ts'
import type { FluxionSettings } from '#flux/calls/fluxion.ts'

/** Idle nodes below the highest busy one: then the default match policy is reported, too. */
const STRANDED = { isStranded: true }

const GOOD: FluxionSettings = {
  queuePolicy: 'fcfs',
  matchPolicy: 'lonode',
  pruneFilters: 'ALL:core',
}

const REFUSES =
  /^Fluxion \(0\.43 and later\) with queue-policy "fcfs" refuses .*prune-filters = "ALL:core"/
const FILLS = /match-policy = "lonode"$/

/** Changes of settings that work, and the traps that they make. */
const SETTINGS: readonly (readonly [
  what: string,
  changes: Partial<FluxionSettings>,
  traps: readonly RegExp[],
])[] = [
  ['settings that work', {}, []],
  ['the defaults', { matchPolicy: undefined, pruneFilters: undefined }, [REFUSES, FILLS]],
  ['fcfs that prunes by node', { pruneFilters: 'ALL:core,ALL:node' }, [REFUSES]],
  ['fcfs that prunes by node of a cluster', { pruneFilters: 'cluster:node' }, [REFUSES]],
  ['conservative with any filters', { queuePolicy: 'conservative', pruneFilters: undefined }, []],
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
    const found = describeTraps({ ...GOOD, ...changes }, STRANDED)
    assert.equal(found.length, traps.length)
    for (const [index, trap] of traps.entries()) assert.match(found[index]?.text ?? '', trap)
  })
}

test('describeTraps finds no trap without Fluxion', () => {
  assert.deepEqual(describeTraps(undefined, STRANDED), [])
})

test('describeTraps names the configured match policy, or the default', () => {
  assert.match(
    describeTraps({ ...GOOD, matchPolicy: 'hinode' }, STRANDED)[0]?.text ?? '',
    /match-policy "hinode"/,
  )
  assert.match(
    describeTraps({ ...GOOD, matchPolicy: undefined }, STRANDED)[0]?.text ?? '',
    /"first", its default/,
  )
})
