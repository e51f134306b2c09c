// Any text of a file is read as metrics, or as problems with places. Nothing is thrown.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readUserMetrics } from '#metrics/user-metrics/user-metrics.ts'
import { runs } from '../../support/runs.ts'

function assertSound(text: string): void {
  const reading = readUserMetrics(text, 'metrics.yaml')
  const problems = reading.kind === 'metrics' ? reading.problems : [reading.problem]
  const lines = text.split('\n').length
  for (const problem of problems) {
    const [, line = '1'] = /^metrics\.yaml(?::(\d+):\d+)?: ./s.exec(problem) ?? assert.fail(problem)
    assert.ok(Number(line) >= 1 && Number(line) <= lines + 1, problem)
  }
}

const PIECES = [
  ...['metrics:', '\n', '\n- ', '\n  - ', '\n    ', 'name: ', 'help: ', 'unit: ', 'expression: '],
  ...['a', 'nodes.up', 'nodes.upp', '|', '>-', '"', "'", '{', '}', '[', ']', ', ', ': ', '#', ' '],
  ...['&x', '*x', '!!int', '<<', '---', '\t', '5', 'null', '~', '%', '\\', 'é', '\u0000', '\r\n'],
]

test('any sequence of pieces is read or refused', () => {
  const rows = fc.array(fc.constantFrom(...PIECES), { maxLength: 24 })
  fc.assert(
    fc.property(rows, (row) => assertSound(row.join(''))),
    { numRuns: runs(3_000) },
  )
})

/** The ways to write a text in YAML. */
const FORMS: readonly ((text: string) => string)[] = [
  JSON.stringify,
  (text) => `'${text.replaceAll("'", "''").replaceAll('\n', '\n      ')}'`,
  (text) => `|\n      ${text.replaceAll('\n', '\n      ')}`,
  (text) => `>-\n      ${text.replaceAll('\n', '\n      ')}`,
  (text) => text,
]

const HEAD = 'metrics:\n  - name: mine\n    help: Mine\n    unit: nodes\n    expression: '

test('any expression is read or refused, however it is quoted', () => {
  const expression = fc.array(
    fc.constantFrom(
      'nodes.up',
      'x',
      ' + ',
      '\n',
      '"',
      "'",
      '\\',
      '(',
      ')',
      ' # ',
      ': ',
      '🙂',
      '\t',
    ),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(expression, fc.constantFrom(...FORMS), (row, write) =>
      assertSound(`${HEAD}${write(row.join(''))}\n`),
    ),
    { numRuns: runs(3_000) },
  )
})

test('a place is a place in the text as the user wrote it', () => {
  const before = fc.array(
    fc.constantFrom('nodes.up + ', '1 +\n', '"a\\"b".size() +  ', "'c'.size() + ", '\n  2 +\n'),
    { maxLength: 8 },
  )
  fc.assert(
    fc.property(before, fc.constantFrom(...FORMS.slice(0, 4)), (row, write) => {
      const text = `${HEAD}${write(`0 + ${row.join('')}unheard + 1`)}\n`
      const reading = readUserMetrics(text, 'metrics.yaml')
      assert.ok(reading.kind === 'metrics')
      const [, line, column] =
        /:(\d+):(\d+): metric "mine": Unknown/.exec(String(reading.problems)) ?? []
      const found = text.split('\n')[Number(line) - 1]?.slice(Number(column) - 1)
      assert.ok(found?.startsWith('unheard'), `${text}: ${reading.problems}`)
    }),
    { numRuns: runs(2_000) },
  )
})
