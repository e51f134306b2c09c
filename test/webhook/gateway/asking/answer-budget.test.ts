import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnswerBudget } from '../../../../webhook/gateway/asking/answer-budget.ts'
import { until } from '../../../support/until.ts'
import { bodyFor, certify, errorOf, NAME, pathOf, podOf, serve, setup } from './fleet.ts'

const LIMITS = { bytes: 100, uncountedBytes: 10 }

function refusal(act: () => void): string {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && 'outcome' in error)
    assert.deepEqual([error.code, error.outcome], [503, 'overload'])
    return error.message
  }
  return assert.fail('there was room')
}

test('the first bytes of each answer are not counted, and what is counted is free again', () => {
  const budget = new AnswerBudget(LIMITS)
  const short = Array.from({ length: 50 }, () => budget.open('team-a', 'it'))
  for (const share of short) share.grow(10)
  assert.equal(budget.bytes, 0)
  const long = budget.open('team-a', 'it')
  for (const bytes of [4, 4, 4, 40]) long.grow(bytes)
  assert.equal(budget.bytes, 42)
  for (const share of [...short, long, long]) share.close()
  assert.equal(budget.bytes, 0)
})

test('a namespace leaves as much free as it takes, so that two of them do not starve a third', () => {
  const budget = new AnswerBudget(LIMITS)
  const first = budget.open('team-a', 'MiniCluster team-a/x')
  first.grow(60)
  assert.match(
    refusal(() => first.grow(1)),
    /^MiniCluster team-a\/x: there is no room for its answer: .*; ask again$/,
  )
  assert.equal(budget.bytes, 50)
  const second = budget.open('team-b', 'it')
  second.grow(35)
  refusal(() => second.grow(1))
  const third = budget.open('team-c', 'it')
  third.grow(22)
  refusal(() => third.grow(4))
  assert.equal(budget.bytes, 87)
  first.close()
  second.grow(10)
  assert.equal(budget.bytes, 47)
})

test('an answer for which there is no room is a 503 that says so, and nothing of it is kept', async (t) => {
  const budget = new AnswerBudget({ bytes: 100_000, uncountedBytes: 1_000 })
  const others = ['team-b', 'team-c', 'team-d'].map((name) => budget.open(name, 'it'))
  for (const [index, bytes] of [51_000, 26_000, 13_000].entries()) others[index]?.grow(bytes)
  const explained = JSON.stringify({ text: 'x'.repeat(20_000) })
  const server = await serve(t, await certify(NAME), (request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(request.url?.endsWith('/explain') ? explained : bodyFor(NAME))
  })
  const { ask, outcomes } = setup(t, { pods: [podOf(NAME, server.port)], budget })
  const explain = () => ask(NAME, { path: pathOf(NAME, 'explain') })
  const [code, message] = await errorOf(explain())
  assert.equal(code, 503)
  assert.match(message, /^MiniCluster team-a\/flux-sample: there is no room for its answer: /)
  assert.equal(budget.bytes, 87_000)
  // A metric finds room, and the sidecar is not blamed.
  for (let time = 0; time < 4; time += 1) await errorOf(explain())
  assert.equal((await ask()).body, bodyFor(NAME))
  for (const share of others) share.close()
  assert.equal((await explain()).body, explained)
  assert.equal(budget.bytes, 0)
  assert.deepEqual(outcomes.map(([outcome]) => outcome).slice(-3), [
    'overload',
    'answered',
    'answered',
  ])
})

test('an answer that nobody waits for any more takes no room', async (t) => {
  const budget = new AnswerBudget({ bytes: 100_000, uncountedBytes: 0 })
  const server = await serve(t, await certify(NAME), (_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.write('{"text":"')
  })
  const { ask } = setup(t, { pods: [podOf(NAME, server.port)], budget })
  const late = errorOf(ask(NAME, { path: pathOf(NAME, 'explain'), waitMs: 500 }))
  await until(() => budget.bytes === 9, 'the beginning of an answer')
  assert.equal((await late)[0], 503)
  await until(() => budget.bytes === 0, 'room again')
})
