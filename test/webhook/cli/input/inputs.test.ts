import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readInputs } from '../../../../webhook/cli/input/inputs.ts'
import { createMemoryIo } from '../memory-io.ts'

test('readInputs reads files in their order, and standard input for a dash', async () => {
  const { io } = createMemoryIo({ files: { a: '1', b: '2' }, input: '3' })
  assert.deepEqual(await readInputs(['b', '-', 'a'], io), {
    found: [
      { name: 'b', text: '2' },
      { name: '<stdin>', text: '3' },
      { name: 'a', text: '1' },
    ],
    problems: [],
  })
})

test('readInputs reads standard input if no file is named, but not from a terminal', async () => {
  const piped = createMemoryIo({ input: '3' })
  assert.deepEqual((await readInputs([], piped.io)).found, [{ name: '<stdin>', text: '3' }])
  const { found, problems } = await readInputs([], createMemoryIo().io)
  assert.deepEqual(found, [])
  assert.deepEqual(problems, [
    'Nothing to read: name a file with -f, or pipe one to standard input',
  ])
})

test('readInputs reports every file that cannot be read', async () => {
  const { io } = createMemoryIo({ files: { a: '1' } })
  const { problems } = await readInputs(['x', 'a', 'y'], io)
  assert.deepEqual(problems, [
    'Cannot read x: no such file or directory',
    'Cannot read y: no such file or directory',
  ])
})

test('readInputs says that a folder is no file', async () => {
  const { io } = createMemoryIo({ folders: ['manifests'] })
  const { problems } = await readInputs(['manifests'], io)
  assert.deepEqual(problems, ['Cannot read manifests: expected a file, got a folder'])
})
