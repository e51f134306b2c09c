import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLabelKey, isLabelValue } from '#api/selectors/label.ts'

const KEYS = [
  'a',
  'A9',
  'queue',
  'a-b_c.d',
  'constructor',
  'x'.repeat(63),
  'flux-metrics/minicluster',
  'a.b-c.d/E_f',
  `${'d'.repeat(253)}/n`,
]

for (const key of KEYS) {
  test(`isLabelKey accepts "${key}"`, () => assert.equal(isLabelKey(key), true))
}

const NO_KEYS = [
  '',
  '-a',
  'a-',
  '.a',
  'a_',
  'a b',
  'ä',
  'x'.repeat(64),
  '/a',
  'a/',
  'a/b/c',
  'A/b',
  'a_b/c',
  'a..b/c',
  '-a/b',
  'a-/b',
  `${'d'.repeat(254)}/n`,
]

for (const key of NO_KEYS) {
  test(`isLabelKey rejects "${key}"`, () => assert.equal(isLabelKey(key), false))
}

for (const value of ['', '0', 'a', 'A.b_c-D', 'x'.repeat(63)]) {
  test(`isLabelValue accepts "${value}"`, () => assert.equal(isLabelValue(value), true))
}

for (const value of ['-', 'a-', '-1', 'a/b', 'a b', 'ö', 'x'.repeat(64)]) {
  test(`isLabelValue rejects "${value}"`, () => assert.equal(isLabelValue(value), false))
}

test('isLabelKey rejects long hostile text at once', () => {
  assert.equal(isLabelKey(`${'a-'.repeat(50_000)}/b`), false)
})
