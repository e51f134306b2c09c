import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMore, parseQuantity } from '../../../webhook/injection/container-quantity.ts'

const VALUES: readonly (readonly [text: string, value: number])[] = [
  ['0', 0],
  ['1', 1],
  ['0.5', 0.5],
  ['25m', 0.025],
  ['1k', 1_000],
  ['2M', 2_000_000],
  ['3G', 3_000_000_000],
  ['1T', 1_000_000_000_000],
  ['1Ki', 1_024],
  ['128Mi', 134_217_728],
  ['1.5Gi', 1_610_612_736],
  ['1Ti', 1_099_511_627_776],
]

for (const [text, value] of VALUES) {
  test(`parseQuantity reads "${text}"`, () => {
    assert.equal(parseQuantity(text), value)
  })
}

const NONE = ['', ' 1', '1 ', '-1', '+1', '.5', '1.', '1e3', '1K', '1MiB', '0x10', 'NaN', '1\n']

for (const text of NONE) {
  test(`parseQuantity does not read ${JSON.stringify(text)}`, () => {
    assert.equal(parseQuantity(text), undefined)
  })
}

test('isMore compares amounts, not texts', () => {
  assert.deepEqual(
    [isMore('1500m', '1'), isMore('1', '1000m'), isMore('900m', '1')],
    [true, false, false],
  )
})

test('isMore is false for quantities that cannot be read', () => {
  assert.deepEqual([isMore('much', '1'), isMore('1', 'little')], [false, false])
})
