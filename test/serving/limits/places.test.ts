import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Places } from '#serving/limits/places.ts'

test('so many run at once, the others in the order in which they came, and a failure gives its place back', async () => {
  const places = new Places(2)
  const begun: number[] = []
  const works = [0, 1, 2, 3].map((index) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const result = places.run(() => {
      begun.push(index)
      return promise
    })
    return { result, resolve, reject }
  })
  const [first, second, third, fourth] = works
  assert.deepEqual(begun, [0, 1])
  second?.reject(new Error('failed'))
  await assert.rejects(second?.result ?? Promise.resolve(), /failed/)
  assert.deepEqual(begun, [0, 1, 2])
  for (const work of [first, third, fourth]) work?.resolve(7)
  assert.deepEqual(await Promise.all([first, third, fourth].map((work) => work?.result)), [7, 7, 7])
  assert.deepEqual(begun, [0, 1, 2, 3])
  assert.equal(await places.run(async () => 'free again'), 'free again')
})
