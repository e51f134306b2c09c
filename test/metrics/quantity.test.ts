import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatQuantity, MAX_QUANTITY } from '#metrics/quantity.ts'

const CANONICAL: readonly (readonly [number, string])[] = [
  [0, '0'],
  [-0, '0'],
  [1, '1'],
  [9, '9'],
  [10, '10'],
  [100, '100'],
  [999, '999'],
  [1000, '1k'],
  [1001, '1001'],
  [1500, '1500'],
  [10_000, '10k'],
  [999_999, '999999'],
  [1_000_000, '1M'],
  [1_500_000, '1500k'],
  [2_500_000_000, '2500M'],
  [1e9, '1G'],
  [1e12, '1T'],
  [1e15, '1P'],
  [2 ** 53, '9007199254740992'],
  [0.5, '500m'],
  [0.001, '1m'],
  [0.1, '100m'],
  [4.25, '4250m'],
  [4.35, '4350m'],
  [0.3, '300m'],
  [1.005, '1005m'],
  [1234.567, '1234567m'],
  [1e12 + 0.5, '1000000000000500m'],
]

for (const [value, text] of CANONICAL) {
  test(`formatQuantity writes ${value} as ${text}`, () => {
    assert.equal(formatQuantity(value), text)
  })
}

for (const [value, text] of [
  [1e-9, '1m'],
  [0.0001, '1m'],
  [0.0011, '2m'],
  [4.0001, '4001m'],
  [0.1 + 0.2, '301m'],
] as const) {
  test(`formatQuantity rounds ${value} up to ${text}`, () => {
    assert.equal(formatQuantity(value), text)
  })
}

for (const value of [MAX_QUANTITY, MAX_QUANTITY + 2, 9.3e15, 1e18, 1e30, Number.MAX_VALUE]) {
  test(`formatQuantity writes ${value} as 9200T, the most that an HPA can read`, () => {
    assert.equal(formatQuantity(value), '9200T')
  })
}

for (const value of [-1, -0.001, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
  test(`formatQuantity rejects ${value}`, () => {
    assert.throws(() => formatQuantity(value), {
      name: 'RangeError',
      message: `Cannot format quantity: expected a number of 0 or more, got ${value}`,
    })
  })
}

const POWERS: Readonly<Record<string, number>> = { m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }

test('formatQuantity writes every integer so that it reads as the same integer', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (value) => {
      const [, digits = '', suffix = ''] = /^(\d+)([kMGTPE]?)$/.exec(formatQuantity(value)) ?? []
      const power = BigInt(POWERS[suffix] ?? 0)
      return BigInt(digits) * 10n ** power === BigInt(value)
    }),
  )
})

test('formatQuantity uses the largest suffix that leaves an integer', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: MAX_QUANTITY, noNaN: true }), (value) => {
      const text = formatQuantity(value)
      return text === '0' || (/^[1-9]\d*[mkMGTPE]?$/.test(text) && !/000[mkMGTP]?$/.test(text))
    }),
  )
})

test('formatQuantity never writes less than the value, nor a thousandth or more above it', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (value) => {
      const [, digits = '', suffix = ''] = /^(\d+)([mkMG]?)$/.exec(formatQuantity(value)) ?? []
      const written = Number(digits) * 10 ** (POWERS[suffix] ?? 0)
      return written >= value - 1e-6 && written < value + 0.001001
    }),
  )
})
