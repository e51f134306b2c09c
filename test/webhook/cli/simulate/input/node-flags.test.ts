import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readNodePool } from '../../../../../webhook/cli/simulate/input/node-flags.ts'

test('without --nodes there is no pool, and its flags need it', () => {
  assert.equal(readNodePool({}), undefined)
  assert.equal(readNodePool({ 'node-boot': '1m' }), '--node-boot: needs --nodes')
})

test('--nodes has defaults', () => {
  assert.deepEqual(readNodePool({ nodes: true }), {
    bootMs: 30_000,
    keepMs: 30_000,
    podsPerNode: 1,
  })
  const flags = { 'node-boot': '2m', 'consolidate-after': '0s', 'pods-per-node': '4' }
  assert.deepEqual(readNodePool({ nodes: true, ...flags }), {
    bootMs: 120_000,
    keepMs: 0,
    podsPerNode: 4,
  })
})

for (const [flag, value, problem] of [
  ['node-boot', 'soon', '--node-boot: expected a time like 90s, 10m or 1.5h, got "soon"'],
  [
    'consolidate-after',
    '-1',
    '--consolidate-after: expected a time like 90s, 10m or 1.5h, got "-1"',
  ],
  ['pods-per-node', '0', '--pods-per-node: expected a number from 1 to 1000, got "0"'],
  ['pods-per-node', '1.5', '--pods-per-node: expected a number from 1 to 1000, got "1.5"'],
] as const) {
  test(`--${flag} ${value} is refused`, () => {
    assert.equal(readNodePool({ nodes: true, [flag]: value }), problem)
  })
}
