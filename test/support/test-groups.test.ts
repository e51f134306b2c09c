import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { ROOT } from './imports.ts'
import { groupsOf, LONG, testFiles } from './test-groups.ts'

test('files that take long are there', () => {
  const alone = groupsOf(testFiles([])).filter(({ name }) => name.endsWith('.test.ts'))
  assert.equal(alone.length, LONG.length)
})

test('every test file is in one group', () => {
  const grouped = groupsOf(testFiles([])).flatMap(({ files }) => files)
  assert.deepEqual(grouped.toSorted(), globSync('test/**/*.test.ts', { cwd: ROOT }).sort())
})

test('groups have names of their own, and few files', () => {
  const groups = groupsOf(testFiles([]))
  assert.equal(new Set(groups.map(({ name }) => name)).size, groups.length)
  assert.ok(groups.every(({ files }) => files.length > 0 && files.length <= 48))
})

test('files that take long are first, in the order of their list, each alone', () => {
  const [first, second] = groupsOf([
    'test/api/app.test.ts',
    'test/scaling/faults.test.ts',
    'test/scaling/safety.test.ts',
  ])
  assert.deepEqual(first?.files, ['test/scaling/safety.test.ts'])
  assert.deepEqual(second?.files, ['test/scaling/faults.test.ts'])
})

test('the files of a room share a group, and small rooms do', () => {
  const cli = Array.from({ length: 47 }, (_, index) => `test/webhook/cli/${index}.test.ts`)
  const small = ['test/api/app.test.ts', 'test/scaling/sizes.test.ts']
  const groups = groupsOf([...small, ...cli])
  assert.deepEqual(groups, [
    { name: 'webhook/cli-0', files: cli },
    { name: 'api-0+scaling-0', files: small },
  ])
})

test('files and folders can be chosen', () => {
  const file = 'test/scaling/sizes.test.ts'
  assert.deepEqual(testFiles([file]), [file])
  const inFolder = testFiles(['test/flux/sets/', 'test/readme.test.ts'])
  assert.ok(inFolder.length > 2)
  assert.ok(inFolder.every((path) => /^test\/(flux\/sets\/|readme\.test\.ts)/.test(path)))
})

test('a path without tests is refused', () => {
  assert.throws(() => testFiles(['test/flux/nothing']), {
    message: 'no tests in "test/flux/nothing"',
  })
})
