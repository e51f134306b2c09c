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
  // Numbers are as long as one character, however they are written.
  ['nodes.up > 1000 ? 1 : 0', 4 + 1 + 2],
  // Neither the size of a list nor a key of a map needs a search.
  ['pending.size()', 2],
  ['size(pending)', 2],
  ['queues["batch"].run', 4],
  ['"a" in queues ? 1 : 0', 6 + 3],
  ['"a" in {"a": 1} ? 1 : 0', 8 + 3],
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

const MAP = `{${Array.from({ length: 40 }, (_, key) => `"k${key}": [1, 2]`).join()}}`

/** What would take far longer than its steps, if a part of it was overlooked. */
const AT_LEAST: readonly (readonly [what: string, expression: string, steps: number])[] = [
  [
    'comparing maps',
    `[[${MAP}, ${MAP}]].map(m, pending.filter(j, m[0] != m[1]).size()).sum()`,
    160 * JOBS,
  ],
  [
    'comparing lists of maps',
    `[[${MAP}]].map(m, pending.filter(j, m == m).size()).sum()`,
    160 * JOBS,
  ],
  ['a value of a map by its name', '{"a": pending}.a.map(j, 1).size()', JOBS],
  ['the keys of a map', `{"${'k'.repeat(99)}": 1}.map(k, k + k).size()`, 198],
  [
    'the longer of two lists',
    '(true ? [pending] : [[], [], []]).map(l, l.map(j, 1).size()).sum()',
    3 * JOBS,
  ],
  ['a text in a text', `"${'a'.repeat(90)}".contains("${'a'.repeat(40)}b") ? 1 : 0`, 90 * 41],
  ['the order of texts', `["${'a'.repeat(99)}"].map(t, t + t).map(t, t < t ? 1 : 0).sum()`, 99 * 6],
  ['the size of a text', `["${'a'.repeat(99)}"].map(t, t + t).map(t, t.size()).sum()`, 99 * 4],
  ['a number in a text', `int("${'9'.repeat(300)}")`, 90_000],
]

for (const [what, expression, steps] of AT_LEAST) {
  test(`${what} takes at least ${steps} steps`, () => {
    const counted = stepsOf(expression)
    assert.ok(counted >= steps, `${counted} steps`)
  })
}
