import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ceilDivide, formatQuantity, parseQuantity } from '../../../webhook/objects/quantity.ts'

const VALUES: readonly (readonly [text: string, thousandths: bigint])[] = [
  ['0', 0n],
  ['1', 1_000n],
  ['+1', 1_000n],
  ['0.5', 500n],
  ['.5', 500n],
  ['1.', 1_000n],
  ['25m', 25n],
  ['1.5m', 2n],
  ['1u', 1n],
  ['1500000n', 2n],
  ['1k', 1_000_000n],
  ['1e3', 1_000_000n],
  ['12E-1', 1_200n],
  ['1E', 10n ** 21n],
  ['2M', 2_000_000_000n],
  ['3G', 3_000_000_000_000n],
  ['1T', 10n ** 15n],
  ['1Ki', 1_024_000n],
  ['128Mi', 134_217_728_000n],
  ['1.5Gi', 1_610_612_736_000n],
  ['7Ei', 7n * 2n ** 60n * 1_000n],
]

for (const [text, thousandths] of VALUES) {
  test(`parseQuantity reads "${text}"`, () => {
    assert.equal(parseQuantity(text), thousandths)
  })
}

const NONE = [
  '',
  '.',
  ' 1',
  '1 ',
  '-1',
  '1K',
  '1MiB',
  '1e',
  '1e999',
  '0x10',
  'NaN',
  '1\n',
  '9'.repeat(31),
]

for (const text of NONE) {
  test(`parseQuantity does not read ${JSON.stringify(text)}`, () => {
    assert.equal(parseQuantity(text), undefined)
  })
}

const FORMATTED: readonly (readonly [resource: string, thousandths: bigint, text: string])[] = [
  ['cpu', 25n, '25m'],
  ['cpu', 2_048_000n, '2048'],
  ['cpu', 0n, '0'],
  ['memory', 0n, '0'],
  ['memory', 134_217_728_000n, '128Mi'],
  ['memory', 1_025_000n * 1_024n, '1025Ki'],
  ['memory', 1_000_000n, '1000'],
  ['memory', 2n ** 30n * 1_000n, '1Gi'],
]

for (const [resource, thousandths, text] of FORMATTED) {
  test(`formatQuantity writes ${thousandths} thousandths of ${resource} as ${text}`, () => {
    assert.equal(formatQuantity(resource, thousandths), text)
    assert.equal(parseQuantity(text), thousandths)
  })
}

test('ceilDivide rounds up', () => {
  assert.deepEqual([ceilDivide(4n, 2n), ceilDivide(5n, 2n), ceilDivide(0n, 2n)], [2n, 3n, 0n])
})
