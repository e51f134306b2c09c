import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OneAtATime } from '#serving/limits/one-at-a-time.ts'

test('one has its turn at a time, in the order in which they came', async () => {
  const turns = new OneAtATime()
  const begun: string[] = []
  const take = async (name: string) => {
    const end = await turns.take()
    begun.push(name)
    return end
  }
  const [first, second, third] = [take('first'), take('second'), take('third')]
  const endFirst = await first
  await new Promise(setImmediate)
  assert.deepEqual(begun, ['first'])
  endFirst()
  const endSecond = await second
  assert.deepEqual(begun, ['first', 'second'])
  endSecond()
  await third
})
