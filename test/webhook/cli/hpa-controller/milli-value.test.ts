import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatQuantity } from '#metrics/quantity.ts'
import { toFloat, toMilli } from '../../../../webhook/cli/hpa-controller/milli-value.ts'

/** As the API machinery of Kubernetes 1.36 reads the same texts. */
for (const [quantity, milli] of [
  ['0', 0],
  ['4', 4000],
  ['+4', 4000],
  ['04', 4000],
  ['4.', 4000],
  ['4.0', 4000],
  ['.5', 500],
  ['4e0', 4000],
  ['12e-3', 12],
  ['12E-1', 1200],
  ['0.004k', 4000],
  ['4500m', 4500],
  ['1Ki', 1_024_000],
  ['0.1Ki', 102_400],
  ['1.5Mi', 1_572_864_000],
  ['9.2P', 9.2e18],
  ['0.0001', 1],
  ['1n', 1],
  ['1u', 1],
  ['1001u', 2],
  ['4.00000000000000001', 4001],
  ['-5', -5000],
  ['-1100u', -2],
  ['9300000000000000', 9.3e18 - 2 ** 64],
  [4, 4000],
  [4.35, 4350],
  [0.1 + 0.2, 301],
  [1e-7, 1],
  [9.2e15, 9.2e18],
] as const) {
  test(`toMilli reads ${quantity} as ${milli}`, () => {
    assert.equal(toMilli(quantity), milli)
  })
}

for (const text of [
  '',
  '.',
  'm',
  '4 ',
  ' 4',
  '1Kb',
  '1ki',
  '1e',
  'NaN',
  'Infinity',
  '1.2.3',
  '--1',
]) {
  test(`toMilli refuses "${text}"`, () => {
    assert.throws(() => toMilli(text), {
      name: 'RangeError',
      message: `Cannot read quantity "${text}"`,
    })
  })
}

test('toMilli reads what formatQuantity writes, to a thousandth', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), (value) => {
      assert.equal(toMilli(formatQuantity(value)), toMilli(value))
    }),
  )
})

for (const [quantity, number] of [
  ['0', 0],
  ['0.1', 0.1],
  ['100m', 0.1],
  ['1', 1],
  [2, 2],
  ['1.5', 1.5],
  // 57 × 0.001, and 1234567 × 10^-6 …
  ['0.057', 57 * 0.001],
  ['1.234567', 1_234_567 * 1e-6],
  ['0.1234567891', 123_456_790 * 1e-9],
  ['50Mi', 52_428_800],
] as const) {
  test(`toFloat reads ${quantity} as ${number}`, () => {
    assert.equal(toFloat(quantity), number)
  })
}
