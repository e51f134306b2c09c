import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileExpression } from '#metrics/user-metrics/expression.ts'

/** Expressions are parsed with the library itself, so that the tests see the trees that the library makes. */
function stepsOf(text: string): number {
  const compiled = compileExpression(text)
  if (compiled.kind === 'refused') assert.fail(`${text}: ${compiled.problem.message}`)
  return compiled.expression.steps
}

const JOBS = 10_000
const QUEUES = 100

const STEPS: readonly (readonly [expression: string, steps: number])[] = [
  ['1', 1],
  ['nodes.up', 2],
  // The sum of two numbers counts as that of two characters.
  ['nodes.up + 1', 4 + 2],
  ['nodes.up > 1 ? 1 : 0', 4 + 1 + 2],
  // Neither the size of a list nor a key of a map needs a search.
  ['pending.size()', 2],
  ['size(pending)', 2],
  ['queues["batch"].run', 4],
  ['"a" in queues ? 1 : 0', 6 + 3],
  ['pending.map(job, 1).size()', 3 + JOBS],
  ['pending.map(job, job.waited).sum()', 3 + 2 * JOBS + JOBS],
  ['pending.filter(job, job.userid == 0).map(job, 1).size()', 4 + 6 * JOBS + JOBS],
  ['queues.map(queue, 1).size()', 3 + QUEUES],
  // The body of a comprehension is evaluated once for each element.
  ['[1, 2, 3].map(i, pending.size()).sum()', 6 + 3 * 2 + 3],
  ['pending.filter(job, job in pending).size()', 3 + JOBS * (3 + JOBS + 1)],
  ['pending.filter(a, pending.exists(b, true)).size()', 3 + JOBS * (2 + JOBS)],
  ['queues.map(q, pending.map(job, 1).size()).sum()', 3 + QUEUES * (3 + JOBS) + QUEUES],
  // The sum of two lists has the elements of both.
  ['(pending + pending).map(job, 1).size()', 5 + 2 * JOBS + 2 * JOBS],
  ['[pending].map(list, list + list).map(list, list.size()).sum()', 5 + 3 + 2 * JOBS + 2 + 1],
  ['(true ? pending : []).map(job, 1).size()', 6 + JOBS],
]

for (const [expression, steps] of STEPS) {
  test(`${expression} takes ${steps} steps`, () => {
    assert.equal(stepsOf(expression), steps)
  })
}

test('a list that is doubled repeatedly takes twice the steps each time', () => {
  const doubled = (times: number) => `[pending]${'.map(x, x + x)'.repeat(times)}.size()`
  assert.ok(stepsOf(doubled(20)) > 2 ** 20 * JOBS)
})

test('a text that is doubled repeatedly also takes twice the steps each time', () => {
  const doubled = (times: number) =>
    `["${'a'.repeat(100)}"]${'.map(x, x + x)'.repeat(times)}.size()`
  assert.ok(stepsOf(doubled(20)) > 2 ** 20 * 100)
})

test('a search in a text takes a step for each of its characters', () => {
  const looking = (length: number) =>
    stepsOf(`pending.exists(job, "${'a'.repeat(length)}".contains(job.id)) ? 1 : 0`)
  assert.equal(looking(60) - looking(10), 50 * JOBS)
})
