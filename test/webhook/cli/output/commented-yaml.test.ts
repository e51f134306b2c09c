import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatCommented } from '../../../../webhook/cli/output/commented-yaml.ts'

const VALUE = { name: 'yes', list: [{ type: 'a', inner: { deep: 1 } }] }

test('formatCommented writes comments above their keys, in maps and lists', () => {
  const text = formatCommented(VALUE, [
    { path: ['name'], text: 'first' },
    { path: ['list', 0, 'inner'], text: 'two\nlines' },
    { path: ['list', 0, 'inner', 'deep'], text: 'last' },
  ])
  const expected = [
    '# first',
    'name: "yes"',
    'list:',
    '  - type: a',
    '    # two',
    '    # lines',
    '    inner:',
    '      # last',
    '      deep: 1',
    '',
  ]
  assert.deepEqual(text.split('\n'), expected)
})

test('formatCommented writes a shared value twice, and breaks no lines', () => {
  const shared = { name: 'word '.repeat(40).trim() }
  const text = formatCommented({ a: shared, b: shared }, [])
  assert.equal(text, `a:\n  name: ${shared.name}\nb:\n  name: ${shared.name}\n`)
})

for (const path of [['nothing'], ['name', 'deeper'], ['list', 0], ['list', 1, 'type'], []]) {
  test(`formatCommented refuses a comment on "${path.join('.')}"`, () => {
    assert.throws(() => formatCommented(VALUE, [{ path, text: 'why' }]), {
      name: 'RangeError',
      message: `Cannot comment on "${path.join('.')}": no such key`,
    })
  })
}
