import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusalOf } from '../../../../../webhook/cli/input/files/minicluster-source.ts'
import { minicluster } from '../../sources.ts'

test('refusalOf accepts the smallest MiniCluster', () => {
  assert.equal(refusalOf(minicluster({})), undefined)
})

const A = { name: 'a' }
const RUNNER = { runFlux: true }

for (const [spec, refusal] of [
  [{ size: 0 }, 'spec.size is 0'],
  [{ size: 5, maxSize: 4 }, 'spec.size is 5, above spec.maxSize 4'],
  [{ size: 1, minSize: 2 }, 'spec.size is 1, below spec.minSize 2'],
  [{ containers: [A, A] }, '0 of its 2 containers have runFlux: true, expected exactly 1'],
  [
    { containers: [RUNNER, RUNNER] },
    '2 of its 2 containers have runFlux: true, expected exactly 1',
  ],
  [{ containers: [RUNNER, {}] }, 'spec.containers[1] has no name'],
] as const) {
  test(`refusalOf refuses ${JSON.stringify(spec)}`, () => {
    assert.equal(refusalOf(minicluster(spec)), refusal)
  })
}

test('refusalOf accepts sizes at their limits', () => {
  assert.equal(refusalOf(minicluster({ size: 4, minSize: 4, maxSize: 4 })), undefined)
})
