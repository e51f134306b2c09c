// Any text is compiled or refused, and each compiled expression has a number or a reason as its value. Nothing is thrown.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileExpression } from '#metrics/user-metrics/expression.ts'
import { unknown } from '#reading/unknown.ts'
import { runs } from '../../support/runs.ts'
import { snapshotOf } from '../../support/snapshots.ts'
import { batchJob, waiting } from '../../support/waiting.ts'

const HIDDEN = { kind: 'unknown', reason: 'Flux hides jobs' } as const

const SNAPSHOTS = [
  snapshotOf(waiting([batchJob(), batchJob({ queue: undefined, nnodes: undefined })])),
  snapshotOf({ ...waiting([batchJob()], { unknownRequests: unknown('guests cannot read them') }) }),
  snapshotOf({ jobs: HIDDEN, waiting: HIDDEN }),
]

/** @returns the value in each snapshot, or why the text does not compile */
function outcomesOf(text: string): readonly unknown[] {
  const compiled = compileExpression(text)
  if (compiled.kind === 'refused') return [compiled.problem]
  const { steps, evaluate } = compiled.expression
  assert.ok(steps > 0, text)
  return SNAPSHOTS.map(evaluate)
}

function assertSound(text: string): void {
  for (const outcome of outcomesOf(text)) {
    if (typeof outcome === 'number') assert.ok(Number.isFinite(outcome) && outcome >= 0, text)
    else assert.ok(typeof outcome === 'object' && outcome !== null, text)
  }
}

test('any text is compiled or refused', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), assertSound), {
    numRuns: runs(2_000),
  })
})

const TOKENS = [
  ...['nodes', '.up', 'jobs', '.run', 'queues', '["batch"]', 'pending', '[0]', '.nodes', 'size'],
  ...['.size()', '.filter(j,', '.map(j,', '.exists(j,', 'j', '.gpus', 'has(', 'int(', '.sum()'],
  ...['+', '-', '*', '/', '%', '==', '<', '&&', '||', '!', '?', ':', 'in', ')', '(', '[', ']', ','],
  ...['0', '1', '2.5', '1u', '"a"', "'", '"', 'b"a"', 'true', 'null', '\n', '//', '{', '}', 'ƒ'],
]

test('any sequence of tokens is compiled or refused', () => {
  const rows = fc.array(fc.constantFrom(...TOKENS), { maxLength: 16 })
  fc.assert(
    fc.property(rows, (row) => assertSound(row.join(' '))),
    { numRuns: runs(5_000) },
  )
})

/** Expressions of any shape whose type is a number. */
const { number } = fc.letrec<{ number: string; truth: string; list: string }>((tie) => ({
  number: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('0', '1', '7', 'nodes.up', 'jobs.pending', 'queues["batch"].run', 'size.floor'),
    fc
      .tuple(tie('number'), fc.constantFrom('+', '-', '*', '/', '%'), tie('number'))
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    fc
      .tuple(tie('truth'), tie('number'), tie('number'))
      .map(([condition, one, other]) => `(${condition} ? ${one} : ${other})`),
    fc
      .tuple(tie('list'), fc.constantFrom('sum', 'min', 'max', 'size'))
      .map(([list, name]) => `${list}.${name}()`),
  ),
  truth: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('true', 'pending.exists(j, j.gpus > 0)', 'pending.all(j, has(j.nodes))'),
    fc.tuple(tie('number'), tie('number')).map(([left, right]) => `${left} < ${right}`),
    fc.tuple(tie('truth'), tie('truth')).map(([left, right]) => `(${left} || ${right})`),
    tie('truth').map((operand) => `!(${operand})`),
  ),
  list: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(
      'pending.map(j, j.nodes)',
      'pending.filter(j, has(j.queue)).map(j, j.userid)',
      'queues.map(q, queues[q].active)',
    ),
    fc.array(tie('number'), { minLength: 1, maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc.tuple(tie('list'), tie('number')).map(([list, by]) => `${list}.map(i, i + ${by})`),
  ),
}))

test('an expression with correct types is evaluated, unless it is too large', () => {
  let values = 0
  fc.assert(
    fc.property(number, (text) => {
      const compiled = compileExpression(text)
      if (compiled.kind === 'refused')
        assert.match(compiled.problem.message, /^(Exceeded|expected at most)/)
      assertSound(text)
      values += outcomesOf(text).filter((outcome) => typeof outcome === 'number').length
    }),
    { numRuns: runs(2_000) },
  )
  assert.ok(values > runs(500))
})
