import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runs, someOf } from './runs.ts'

for (const [wanted, expected] of [
  ['', 200],
  ['full', 4_000],
  ['0.25', 1_000],
  ['5', 20_000],
  ['0.00001', 1],
] as const) {
  test(`TEST_RUNS="${wanted}" tries ${expected} of 4,000 cases`, () => {
    assert.equal(runs(4_000, wanted), expected)
  })
}

test('some cases are spread over all of them', () => {
  assert.deepEqual(someOf(40, '0.1').slice(0, 4), [1, 3, 5, 7])
  assert.equal(someOf(40, '0.1').length, 20)
  assert.deepEqual(someOf(3, '0.1'), [1, 2, 3])
  assert.deepEqual(
    someOf(100, 'full'),
    Array.from({ length: 100 }, (_, index) => index + 1),
  )
})

for (const wanted of ['all', '0', '-1', 'Infinity']) {
  test(`TEST_RUNS="${wanted}" is refused`, () => {
    assert.throws(() => runs(4_000, wanted), {
      message: `TEST_RUNS: expected "full" or a number above 0, got "${wanted}"`,
    })
  })
}
