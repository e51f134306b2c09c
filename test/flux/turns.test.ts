// Long work in turns: the results are those of one turn, in the same order, and others run in between.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapInTurns, Turns } from '#flux/turns.ts'

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

test('mapInTurns returns the results in order', async () => {
  for (const count of [0, 1, 63, 64, 65, 1_000]) {
    assert.deepEqual(
      await mapInTurns(upTo(count), (item) => 2 * item),
      upTo(count).map((item) => 2 * item),
    )
  }
})

test('mapInTurns lets others run during long work', async () => {
  let turns = 0
  const timer = setInterval(() => (turns += 1), 1)
  const spin = () => {
    const end = performance.now() + 1
    while (performance.now() < end);
  }
  await mapInTurns(upTo(640), spin)
  clearInterval(timer)
  assert.ok(turns >= 8, `${turns} turns`)
})

test('mapInTurns lets others run after each item that takes a whole turn', async () => {
  let turns = 0
  const spin = () => {
    setImmediate(() => (turns += 1))
    const end = performance.now() + 11
    while (performance.now() < end);
    return turns
  }
  assert.deepEqual(await mapInTurns(upTo(4), spin), [0, 1, 2, 3])
})

test('mapInTurns fails with the error of the work', async () => {
  const fail = () => {
    throw new Error('no')
  }
  await assert.rejects(mapInTurns(upTo(1_000), fail), { message: 'no' })
})

test('Turns runs each piece of work in a turn of its own, in order', async () => {
  const turns = new Turns()
  const order: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  for (const name of ['a', 'b', 'c']) {
    turns.add(() => {
      order.push(name)
      setImmediate(() => order.push(`after ${name}`))
      if (name === 'c') resolve()
    })
  }
  assert.deepEqual(order, [])
  await promise
  assert.deepEqual(order, ['a', 'after a', 'b', 'after b', 'c'])
})
