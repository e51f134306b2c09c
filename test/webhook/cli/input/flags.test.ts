import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readArguments, readFlags } from '../../../../webhook/cli/input/flags.ts'

const OPTIONS = {
  file: { type: 'string', short: 'f', multiple: true },
  all: { type: 'boolean' },
} as const

test('readFlags reads flags', () => {
  const { kind, ...others } = readFlags(['-f', 'a', '--file=b', '--all'], OPTIONS)
  assert.equal(kind, 'flags')
  assert.deepEqual({ ...('values' in others && others.values) }, { file: ['a', 'b'], all: true })
})

for (const [args, problem] of [
  [['--al'], "Unknown option '--al'"],
  [['a'], "Unexpected argument 'a'"],
  [['--all=yes'], "Option '--all' does not take an argument"],
  [['-f'], "Option '-f, --file <value>' argument missing"],
] as const) {
  test(`readFlags refuses ${args.join(' ')} in one sentence`, () => {
    assert.deepEqual(readFlags(args, OPTIONS), { kind: 'problem', problem })
  })
}

test('readArguments reads arguments that are not flags as well', () => {
  const { kind, ...others } = readArguments(['a', '--all', '--', '-b'], OPTIONS)
  assert.equal(kind, 'arguments')
  const { values, positionals } = 'values' in others ? others : {}
  assert.deepEqual([{ ...values }, positionals], [{ all: true }, ['a', '-b']])
})

test('readArguments refuses an unknown flag in one sentence', () => {
  const problem = "Unknown option '--al'"
  assert.deepEqual(readArguments(['a', '--al'], OPTIONS), { kind: 'problem', problem })
})
