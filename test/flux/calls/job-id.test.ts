// Job ids in the form of RFC 19.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatJobId } from '#flux/calls/job-id.ts'

/** Single digits, an example of RFC 19, and an id from a recorded dependency. */
for (const [id, text] of [
  [0, 'ƒ1'],
  [1, 'ƒ2'],
  [57, 'ƒz'],
  [58, 'ƒ21'],
  [173476413440, 'ƒ5ZJWxtX'],
  [6731191091817518n, 'ƒuZZybuNNy'],
  [18446744073709551615n, 'ƒjpXCZedGfVQ'],
] as const) {
  test(`formatJobId writes ${id} as ${text}`, () => {
    assert.equal(formatJobId(id), text)
  })
}

test('formatJobId writes a text that can be parsed, for numbers and for bigints', () => {
  const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (id) => {
      const text = formatJobId(id)
      const read = [...text.slice(1)].reduce(
        (sum, digit) => sum * 58n + BigInt(digits.indexOf(digit)),
        0n,
      )
      assert.equal(read, id)
      if (id < 2n ** 53n) assert.equal(formatJobId(Number(id)), text)
    }),
  )
})
