import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idsetOf } from '#flux/sets/id-list.ts'
import type { ShortGroup } from '../../../../webhook/gateway/shortage/shortage.ts'
import { isAboutShortage, sentencesOf } from '../../../../webhook/gateway/shortage/words.ts'

const KINDS = ['unscheduled', 'refused', 'missing', 'not-starting'] as const

/** One rank, a range, and more ranges than a sentence names. */
const RANKS = [[3], [6, 7, 8], Array.from({ length: 200 }, (_, index) => 2 * index)]

test('isAboutShortage knows each sentence about pods that are not there', () => {
  const groups = KINDS.flatMap((kind) =>
    RANKS.map((ranks): ShortGroup => {
      return { kind, ranks: idsetOf(ranks), since: 0, causes: ['Insufficient cpu'] }
    }),
  )
  for (const group of groups) {
    const shortage = { readAt: 240_000, size: 400, unavailable: 1, groups: [group] }
    for (const sentence of sentencesOf(shortage)) assert.ok(isAboutShortage(sentence), sentence)
  }
  const all = sentencesOf({ readAt: 240_000, size: 400, unavailable: 1, groups })
  assert.match(all.at(-1) ?? '', /for other reasons/)
  assert.deepEqual(
    all.filter((sentence) => !isAboutShortage(sentence)),
    [],
  )
})

test('isAboutShortage leaves the other warnings about ranks', () => {
  for (const warning of [
    'rank 4 is drained, not by the sidecar ("bad DIMM"): no job starts there until flux resource undrain',
    'ranks 2-3 are not up, although their pods are there',
    'Fluxion with queue-policy fcfs: a job that cannot start holds up all others',
  ]) {
    assert.ok(!isAboutShortage(warning), warning)
  }
})
