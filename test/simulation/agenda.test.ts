// The order of events.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Agenda } from '#simulation/agenda.ts'

test('events happen in the order of their times, and events of the same time in the order in which they were added', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (times) => {
      const agenda = new Agenda()
      const seen: (readonly [at: number, order: number])[] = []
      for (const [order, at] of times.entries()) agenda.add(at, () => seen.push([at, order]))
      while (agenda.nextAt !== undefined) {
        const at = agenda.nextAt
        agenda.next()
        assert.equal(seen.at(-1)?.[0], at)
      }
      const sorted = times
        .map((at, order) => [at, order] as const)
        .sort(([a, first], [b, second]) => a - b || first - second)
      assert.deepEqual(seen, sorted)
    }),
  )
})

test('an event may add others', () => {
  const agenda = new Agenda()
  const seen: string[] = []
  agenda.add(2, () => seen.push('second'))
  agenda.add(1, () => {
    seen.push('first')
    agenda.add(2, () => seen.push('third'))
  })
  while (agenda.nextAt !== undefined) agenda.next()
  assert.deepEqual(seen, ['first', 'second', 'third'])
})

test('an agenda without events does nothing', () => {
  const agenda = new Agenda()
  assert.equal(agenda.nextAt, undefined)
  agenda.next()
  assert.equal(agenda.nextAt, undefined)
})
