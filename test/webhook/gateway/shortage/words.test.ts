import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idsetOf } from '#flux/sets/id-list.ts'
import type { ShortGroup } from '../../../../webhook/gateway/shortage/shortage.ts'
import { warningsOf } from '../../../../webhook/gateway/shortage/words.ts'

const KINDS = ['unscheduled', 'refused', 'missing', 'not-starting'] as const

/** One rank, a range, and more ranges than a sentence names. */
const RANKS = [[3], [6, 7, 8], Array.from({ length: 200 }, (_, index) => 2 * index)]

function groupOf(kind: ShortGroup['kind'], ranks: readonly number[]): ShortGroup {
  return { kind, ranks: idsetOf(ranks), since: 0, causes: ['Insufficient cpu'] }
}

test('each state of pods that are not there has its code', () => {
  const groups = KINDS.flatMap((kind) => RANKS.map((ranks) => groupOf(kind, ranks)))
  for (const group of groups) {
    const shortage = { readAt: 240_000, size: 400, unavailable: 1, groups: [group] }
    const [warning, ...others] = warningsOf(shortage)
    assert.deepEqual([warning?.kind, warning?.code], ['warning', `pods-${group.kind}`])
    assert.match(warning?.text ?? '', /^(?:ranks? [\d,-]+|\d+ ranks) (?:is|are|do|does) not /)
    assert.deepEqual(others, [])
  }
})

test('of many groups the first have their codes, and the others one of their own', () => {
  const groups = Array.from({ length: 7 }, (_, rank) => groupOf('unscheduled', [rank]))
  const all = warningsOf({ readAt: 240_000, size: 400, unavailable: 1, groups })
  assert.equal(all.length, 6)
  assert.deepEqual(all.at(-1), {
    kind: 'warning',
    code: 'pods-others',
    text: 'ranks 5-6: for other reasons, see the JSON',
  })
})
