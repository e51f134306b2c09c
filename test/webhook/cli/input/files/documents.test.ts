import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDocuments } from '../../../../../webhook/cli/input/files/documents.ts'
import { Source } from '../../../../../webhook/cli/input/files/source.ts'
import { yamlPieces } from '../../../../../webhook/cli/input/files/yaml-pieces.ts'
import { recordedText } from '../../sources.ts'

const A = 'apiVersion: v1\nkind: A\n'

function kindsOf(text: string): readonly string[] {
  const { found, problems } = readDocuments(text, 'f.yaml')
  assert.deepEqual(problems, [])
  return found.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)
}

function problemOf(text: string): string {
  const { problems } = readDocuments(text, 'f.yaml')
  assert.equal(problems.length, 1)
  return problems[0] ?? ''
}

test('readDocuments reads several YAML documents, and skips empty ones', () => {
  assert.deepEqual(kindsOf(`---\n${A}---\n---\n# nothing\n---\n${A}x: 1\n---\n`), ['v1 A', 'v1 A'])
})

test('readDocuments reads JSON, concatenated JSON and JSON between separators', () => {
  const json = '{\n\t"apiVersion": "v1",\n\t"kind": "A"\n}'
  assert.deepEqual(kindsOf(json), ['v1 A'])
  assert.deepEqual(kindsOf(`\uFEFF${json}\n${json}${json}`), ['v1 A', 'v1 A', 'v1 A'])
  assert.deepEqual(kindsOf(`${json}\n---\n${json}\n`), ['v1 A', 'v1 A'])
})

test('readDocuments unpacks lists, nested lists, and lists whose items have no kind', () => {
  const item = { apiVersion: 'v1', kind: 'A' }
  const list = { apiVersion: 'v1', kind: 'List', items: [item, item] }
  assert.deepEqual(kindsOf(JSON.stringify({ ...list, items: [list, item] })), [
    'v1 A',
    'v1 A',
    'v1 A',
  ])
  const jobs = { apiVersion: 'batch/v1', kind: 'JobList', items: [{ metadata: {} }] }
  assert.deepEqual(kindsOf(JSON.stringify(jobs)), ['batch/v1 Job'])
})

test('readDocuments reads YAML as kubectl does', () => {
  const text = `${A}yes: yes\nmode: 0777\ntime: 2026-11-23T21:25:08Z\nratio: 1:30\n1: one\n`
  const { found } = readDocuments(text, 'f.yaml')
  assert.deepEqual(found[0]?.value, {
    apiVersion: 'v1',
    kind: 'A',
    yes: true,
    mode: 0o777,
    time: '2026-11-23T21:25:08Z',
    ratio: '1:30',
    1: 'one',
  })
})

test('readDocuments follows anchors and merge keys', () => {
  const { found } = readDocuments(`${A}a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: *a\n`, 'f.yaml')
  assert.deepEqual(found[0]?.value.b, { x: 3, y: 2 })
  assert.deepEqual(found[0]?.value.c, { x: 1, y: 2 })
})

test('placeOf is the line and column of a value, or of the nearest value around an absent one', () => {
  const { found } = readDocuments(`---\n${A}spec:\n  list:\n    - a: 1\n      b: 2\n`, 'f.yaml')
  const [document] = found
  assert.equal(document?.placeOf([]), 'f.yaml:2:1')
  assert.equal(document?.placeOf(['spec', 'list', 0, 'b']), 'f.yaml:7:10')
  assert.equal(document?.placeOf(['spec', 'list', 0, 'c', 'd']), 'f.yaml:6:7')
})

test('placeOf counts from the beginning of the file, also in concatenated values and in lists', () => {
  const text = '{"apiVersion":"v1","kind":"A"}\n{"apiVersion":"v1","kind":"List","items":[\n'
  const { found } = readDocuments(`${text}{"apiVersion":"v1","kind":"B","x":1}]}`, 'f.json')
  assert.equal(found[1]?.placeOf(['x']), 'f.json:3:35')
})

for (const [text, problem] of [
  ['', 'f.yaml: expected Kubernetes objects, found nothing'],
  ['---\n# only a comment\n', 'f.yaml: expected Kubernetes objects, found nothing'],
  [`${A}---\na: b: c\n`, 'f.yaml:4:4: Nested mappings are not allowed in compact mappings'],
  ['a: 1\na: 2\n', 'f.yaml:2:1: expected each key once, got "a" again, first at f.yaml:1:1'],
  [
    'a: {b: 1, "b": 2}\n',
    'f.yaml:1:11: expected each key once, got "b" again, first at f.yaml:1:5',
  ],
  ['{"a": 1,\n"a" : 2}', 'f.yaml:2:1: expected each key once, got "a" again, first at f.yaml:1:2'],
  [
    '{"apiVersion":"v1","kind":"A"} {"a": [{"b": "x:"}, {"b": {"a": 1}, "\\u0062": 2}]}',
    'f.yaml:1:68: expected each key once, got "\\u0062" again, first at f.yaml:1:53',
  ],
  [
    `${A}---\nmetadata:\n  name: {{ minicluster.name }}\n`,
    'f.yaml:5:10: expected text as key, got a map or a list: is this a template? Render it first',
  ],
  [
    `${A}---\nmetadata:\n  labels:\n  {{- include "labels" . | nindent 4 }}\nspec: {}\n`,
    'f.yaml:6:3: Implicit keys need to be on a single line: is this a template? Render it first',
  ],
  ['a: [*b, &b 1]\n', 'f.yaml:1:5: expected an anchor before its alias, got "*b"'],
  ['{"a": 1', 'f.yaml:1:8: Flow map must end with a }'],
  [`${A}---\n- 1\n`, 'f.yaml:4:1: expected an object with apiVersion and kind'],
  ['kind: A\n', 'f.yaml:1:1: expected an object with apiVersion and kind'],
  [
    '{"apiVersion":"v1","kind":"List","items":[\n3]}',
    'f.yaml:2:1: expected an object with apiVersion and kind',
  ],
  ['a: *b\n', 'f.yaml:1:4: expected an anchor before its alias, got "*b"'],
  ['a: &b [1, {c: *b}]\n', 'f.yaml:1:15: expected an alias outside its anchor, got "*b"'],
] as const) {
  test(`readDocuments reports the problem of ${JSON.stringify(text)}`, () => {
    assert.equal(problemOf(text), problem)
  })
}

const DEEP = 'expected no more than 100 values inside each other'

for (const [form, text, place] of [
  ['YAML in brackets', `${A}a: ${'['.repeat(100_000)}`, '3:103'],
  ['YAML in lines', `${A}a:\n  ${'- '.repeat(100_000)}1\n`, '4:200'],
  ['JSON', `{"apiVersion":"v1","kind":"A","a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, '1:134'],
] as const) {
  test(`readDocuments says where ${form} is too deep`, () => {
    assert.equal(problemOf(text), `f.yaml:${place}: ${DEEP}`)
  })
}

test('yamlPieces says where there is too much', () => {
  const file = new Source('f.yaml', `---\n${A}a: [${'1, '.repeat(50)}1]\n`)
  const problem =
    'f.yaml:4:103: expected YAML of at most 150 words and signs: write it as JSON, which is read faster (kubectl get -o json)'
  assert.deepEqual([...yamlPieces(file, 4, undefined, 150)], [{ problem }])
  assert.equal([...yamlPieces(file, 4, undefined, 1_000)].length, 1)
})

test('yamlPieces reads nothing where there is too much: it would take long for nothing', () => {
  const file = new Source('f.yaml', `${A}---\n`.repeat(50))
  const pieces = [...yamlPieces(file, 0, undefined, 150)]
  assert.deepEqual(
    pieces.map((piece) => 'problem' in piece),
    [true],
  )
})

test('readDocuments reads 40,000 keys', () => {
  const keys = Array.from({ length: 40_000 }, (_, index) => `k${index}: 1\n`)
  assert.deepEqual(kindsOf(`${A}${keys.join('')}`), ['v1 A'])
})

test('readDocuments refuses many aliases, which are looked for one by one', () => {
  const text = `${A}a: &a 1\nb:\n${'- *a\n'.repeat(10_000)}`
  assert.equal(
    problemOf(text),
    'f.yaml:205:3: expected at most 200 aliases in a document, got "*a"',
  )
})

test('readDocuments refuses aliases that expand to too many values', () => {
  const rows = ['a', 'b', 'c', 'd', 'e'].map((name, index, names) => {
    const before = names[index - 1]
    const item = before === undefined ? 'x' : `*${before}`
    return `${name}: &${name} [${Array.from({ length: 10 }, () => item).join(', ')}]\n`
  })
  assert.match(problemOf(`${A}${rows.join('')}`), /^f.yaml:1:1: expected fewer aliases/)
})

test('readDocuments reads 5 MB', () => {
  const item = recordedText('operator/job.json')
  const count = Math.ceil(5e6 / item.length)
  const items = Array.from({ length: count }, () => item)
  const list = `{"apiVersion": "v1", "kind": "List", "items": [${items.join(',')}]}`
  assert.equal(kindsOf(list).length, count)
})
