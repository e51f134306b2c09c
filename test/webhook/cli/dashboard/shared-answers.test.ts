import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SharedAnswers } from '../../../../webhook/cli/dashboard/shared-answers.ts'

test('who asks what is being asked, or was a moment ago, gets the same answer', async (t) => {
  const clock = t.mock.method(performance, 'now', () => 0)
  const shared = new SharedAnswers<number>({ lifeMs: 1_000, most: 5 })
  let asked = 0
  const ask = async () => {
    asked += 1
    return asked
  }
  assert.deepEqual(await Promise.all([shared.of('a', ask), shared.of('a', ask)]), [1, 1])
  assert.equal(await shared.of('b', ask), 2)
  clock.mock.mockImplementation(() => 1_000)
  assert.equal(await shared.of('a', ask), 1)
  clock.mock.mockImplementation(() => 1_001)
  assert.equal(await shared.of('a', ask), 3)
})

test('no more than the most questions are under way', async () => {
  const shared = new SharedAnswers<number>({ lifeMs: 1_000, most: 2 })
  const open = Promise.withResolvers<number>()
  const waiting = ['a', 'b'].map((key) => shared.of(key, () => open.promise))
  assert.equal(await shared.of('c', async () => 1), undefined)
  open.resolve(7)
  assert.deepEqual(await Promise.all(waiting), [7, 7])
  assert.equal(await shared.of('c', async () => 1), 1)
})
