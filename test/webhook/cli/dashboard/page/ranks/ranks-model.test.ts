import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RanksModel } from '../../../../../../webhook/cli/dashboard/page/ranks/ranks-model.ts'
import type { ReadExplanation } from '../../../../../../webhook/cli/input/cluster/explanation.ts'
import { growing } from '../../../../../support/dashboard/scenes.ts'

const STATE = growing()

function modelOf(changes: Partial<ReadExplanation>): RanksModel {
  assert.ok(STATE.kind === 'known')
  return new RanksModel({ ...STATE.explanation, ...changes })
}

const job = (id: string, ranks: string, endsInSeconds: number | null = null) => ({
  ...{ id, ranks, endsInSeconds },
  user: 1000,
})

test('the legend is in one order, and states of a later release come last', () => {
  const model = modelOf({
    ranks: [
      { state: 'melting', ranks: '7' },
      { state: 'absent', ranks: '5-6' },
      { state: 'busy', ranks: '0,2-3' },
    ],
  })
  assert.deepEqual(
    model.states.map(({ words, count, spelt }) => [words, count, spelt]),
    [
      ['busy', 3, 'ranks 0,2-3'],
      ['not wanted', 2, 'ranks 5-6'],
      ['melting', 1, 'rank 7'],
    ],
  )
  assert.equal(model.size, 8)
})

test('a rank is described with its state, its drain and its jobs', () => {
  const model = modelOf({
    ranks: [
      { state: 'drained busy', ranks: '1' },
      { state: 'busy', ranks: '0' },
      { state: 'free', ranks: '2' },
    ],
    drains: [{ ranks: '1', reason: '<b>disk</b>', isOwn: false }],
    running: {
      areAll: true,
      listed: [
        job('ƒ1', '1', 240),
        job('ƒ2', '0'),
        ...['ƒ3', 'ƒ4', 'ƒ5'].map((id) => job(id, '0')),
      ],
    },
  })
  assert.equal(
    model.describe(1),
    'rank 1: drained by others, busy; drained: <b>disk</b>; job ƒ1 of user 1000, ends within 4 min',
  )
  assert.equal(
    model.describe(0),
    'rank 0: busy; job ƒ2 of user 1000; job ƒ3 of user 1000; job ƒ4 of user 1000; and 1 more job',
  )
  assert.equal(model.describe(2), 'rank 2: free')
  assert.equal(model.describe(9), 'rank 9: not in R')
})

test('where not all jobs are listed, that is said of a busy rank without one', () => {
  const ranks = [
    { state: 'busy', ranks: '0' },
    { state: 'free', ranks: '1' },
  ]
  for (const running of [null, { areAll: false, listed: [] }]) {
    const model = modelOf({ ranks, running })
    assert.equal(model.describe(0), 'rank 0: busy; its jobs are not listed')
    assert.equal(model.describe(1), 'rank 1: free')
  }
})
