import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Path, parseYaml } from '#metrics/user-metrics/yaml-source.ts'

function parse(text: string) {
  const source = parseYaml(text, 'file.yaml')
  if (source.kind === 'broken') assert.fail(source.problem)
  return source
}

/** The line and column of the "!" in a text; the text has only one. */
function placeOfMark(text: string, path: Path) {
  const source = parse(text)
  let value: unknown = source.value
  for (const key of path) {
    assert.ok(typeof value === 'object' && value !== null)
    value = Reflect.get(value, key)
  }
  assert.ok(typeof value === 'string')
  const before = text.slice(0, text.indexOf('!'))
  const line = before.split('\n').length
  const expected = `file.yaml:${line}:${before.length - before.lastIndexOf('\n')}`
  return { place: source.placeOf(path, value.indexOf('!')), expected }
}

const TEXTS: Readonly<Record<string, string>> = {
  plain: 'a:\n  - b: one !two\n',
  'plain over lines': 'a:\n  - b: one\n      two  two\n      ttwo !three\n',
  'double quotes': 'a: [{b: "one !two"}]\n',
  'double quotes with escapes': 'a: [{b: "o\\"n\\"e \\n n\\\\ !two"}]\n',
  'single quotes': "a: [{b: 'one !two'}]\n",
  'single quotes doubled': "a: [{b: 'o''n''e '' !two'}]\n",
  literal: 'a:\n  - b: |\n      one\n        two !three\n      four\n',
  'literal with a comment': 'a:\n  - b: |- # one\n      one\n\n      !three\n',
  folded: 'a:\n  - b: >\n      one\n      one\n\n        two\n      !three\n',
  'folded with tabs and returns': 'a:\r\n  - b: >-\r\n      one\t one\r\n      two !three\r\n',
  'more than ASCII': 'a:\n  - b: "ƒ🙂 !two"\n',
}

for (const [form, text] of Object.entries(TEXTS)) {
  test(`parseYaml finds the place of a character of a text: ${form}`, () => {
    const { place, expected } = placeOfMark(text, ['a', 0, 'b'])
    assert.equal(place, expected)
  })
}

const FILE = 'a:\n  b: 5\n  c: [x, "yz"]\n  d: >-\n    text\n'

for (const [path, offset, place] of [
  [[], 0, '1:1'],
  [['a'], 0, '2:3'],
  [['a', 'b'], 0, '2:6'],
  [['a', 'b'], 7, '2:6'],
  [['a', 'c'], 0, '3:6'],
  [['a', 'c', 1], 0, '3:11'],
  [['a', 'c', 1], 1, '3:12'],
  // After the last character.
  [['a', 'c', 1], 2, '3:13'],
  [['a', 'd'], 0, '5:5'],
  [['a', 'd'], 4, '5:9'],
  // A value that is not in the file has the place where it could be.
  [['a', 'nosuch'], 0, '2:3'],
  [['a', 'c', 9, 'name'], 0, '3:6'],
  [['nosuch', 'b'], 3, '1:1'],
] as const) {
  test(`parseYaml places ${JSON.stringify(path)} at ${place}, character ${offset}`, () => {
    assert.equal(parse(FILE).placeOf(path, offset), `file.yaml:${place}`)
  })
}

test('parseYaml reads 14,000 keys', () => {
  const keys = Array.from({ length: 14_000 }, (_, index) => `k${index}: 1`)
  assert.equal(Object.keys(Object(parse(keys.join('\n')).value)).length, 14_000)
})

test('parseYaml reads null from an empty file', () => {
  assert.equal(parse('').value, null)
  assert.equal(parse('').placeOf(['a']), 'file.yaml:1:1')
})

for (const [text, problem] of [
  ['a: 1\nb: [', 'file.yaml:2:5: Flow sequence in block collection'],
  ['a: 1\na: 2', 'file.yaml:2:1: expected each key once, got "a" again, first at file.yaml:1:1'],
  [`a: 1\nb: ${'['.repeat(5e4)}`, 'file.yaml:2:103: expected no more than 100 values inside'],
  [`a:\n  [${'1,'.repeat(1e5)}1]`, 'file.yaml:2:66666: expected YAML of at most 100,000 words'],
  ['a: 1\n---\nb: 1', 'file.yaml:2:1: Source contains multiple documents'],
  ['a: 1\n\tb: 1', 'file.yaml:2:1: '],
  ['a: *b', 'file.yaml: Unresolved alias'],
  [
    `a0: &a0 [1]\n${Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`)}]`).join('\n')}`,
    'file.yaml: Excessive alias count',
  ],
] as const) {
  test(`parseYaml reports the problem of ${JSON.stringify(text.slice(0, 20))}, and its place`, () => {
    const source = parseYaml(text, 'file.yaml')
    assert.equal(source.kind, 'broken')
    assert.ok(source.problem.startsWith(problem), source.problem)
  })
}
