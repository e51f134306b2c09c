import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { paced } from '../../../../webhook/gateway/scraping/paced.ts'

const PACE = { prompt: 4, most: 16, slowMs: 50 }

const ITEMS = Array.from({ length: 100 }, (_, index) => index)

test('the prompt ones are begun four at a time, each once', async () => {
  let [now, most] = [0, 0]
  const done: number[] = []
  await paced(ITEMS, PACE, async (item) => {
    now += 1
    most = Math.max(most, now)
    await turn()
    now -= 1
    done.push(item)
  })
  assert.deepEqual(done, ITEMS)
  assert.equal(most, 4)
})

test('slow ones make room for others until sixteen are under way', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const hanging = new Map<number, () => void>()
  const begun: number[] = []
  const ended = paced(ITEMS, PACE, async (item) => {
    begun.push(item)
    if (item < 50) await new Promise<void>((resolve) => hanging.set(item, resolve))
  })
  const counts: number[] = []
  for (let time = 0; time < 5; time += 1) {
    await turn()
    counts.push(begun.length)
    t.mock.timers.tick(50)
  }
  assert.deepEqual(counts, [4, 8, 12, 16, 16])
  for (let item = 0; item < 50; item += 1) {
    while (!hanging.has(item)) await turn()
    hanging.get(item)?.()
    await turn()
  }
  await ended
  assert.deepEqual(begun, ITEMS)
})
