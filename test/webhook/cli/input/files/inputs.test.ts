import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readInputs } from '../../../../../webhook/cli/input/files/inputs.ts'
import { createMemoryIo } from '../../memory-io.ts'

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

test('readInputs says that an empty name is none, as of a variable that is not set', async () => {
  const { problems } = await readInputs([''], createMemoryIo().io)
  assert.deepEqual(problems, ['Cannot read "": expected the name of a file'])
})

test('readInputs says that a file is UTF-32, with a byte order mark or without', async () => {
  for (const text of ['\uFEFFkind: MiniCluster', 'kind: MiniCluster']) {
    for (const write of ['writeUInt32LE', 'writeUInt32BE'] as const) {
      const characters = [...text].map((character) => {
        const bytes = Buffer.alloc(4)
        bytes[write](character.codePointAt(0) ?? 0)
        return bytes
      })
      const { io } = createMemoryIo({ files: { wide: Buffer.concat(characters) } })
      const problems = ['Cannot read wide: expected UTF-8, got UTF-32']
      assert.deepEqual(await readInputs(['wide'], io), { found: [], problems })
    }
  }
})

test('readInputs says that a file is UTF-16', async () => {
  const marked = Buffer.from('\uFEFFkind: MiniCluster', 'utf16le')
  const unmarked = marked.subarray(2)
  const bigEndian = Buffer.from(marked).swap16()
  const files = { marked, unmarked, bigEndian, fine: '\uFEFFkind: MiniCluster' }
  const { found, problems } = await readInputs(Object.keys(files), createMemoryIo({ files }).io)
  const why = 'expected UTF-8, got UTF-16, which ">" of Windows PowerShell writes'
  const named = (name: string) => `Cannot read ${name}: ${why}`
  assert.deepEqual(problems, ['marked', 'unmarked', 'bigEndian'].map(named))
  assert.deepEqual(found, [{ name: 'fine', text: files.fine }])
})

test('readInputs says where a file stops to be UTF-8, and what it seems to be', async () => {
  const files = {
    'latin1.yaml': Buffer.from('kind: Pod\n# für Gänse\n', 'latin1'),
    'cut.yaml': Buffer.from('a: ü').subarray(0, 4),
    'pods.yaml.gz': gzipSync('kind: Pod'),
    fine: 'ü\uFFFD\u{1F9A2}',
  }
  const { found, problems } = await readInputs(Object.keys(files), createMemoryIo({ files }).io)
  const latin1 = 'is it Latin-1? Convert it, for example with iconv -f LATIN1 -t UTF-8'
  assert.deepEqual(problems, [
    `latin1.yaml:2:4: expected UTF-8, got the byte 0xfc: ${latin1}`,
    `cut.yaml:1:4: expected UTF-8, got the byte 0xc3: ${latin1}`,
    'pods.yaml.gz:1:2: expected UTF-8, got the byte 0x8b: is it text?',
  ])
  assert.deepEqual(found, [{ name: 'fine', text: files.fine }])
})

test('readInputs refuses to read standard input twice: the second time nothing would be left', async () => {
  const { found, problems } = await readInputs(['-', '-'], createMemoryIo({ input: '3' }).io)
  const problem = 'Standard input (-) can be read only once: it is named twice'
  assert.deepEqual([found, problems], [[], [problem]])
})

test('readInputs says that a folder is no file', async () => {
  const { io } = createMemoryIo({ folders: ['manifests'] })
  const { problems } = await readInputs(['manifests'], io)
  assert.deepEqual(problems, ['Cannot read manifests: expected a file, got a folder'])
})
