import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand } from '../../../../../webhook/cli/commands.ts'
import { problemOfKubeconfig } from '../../../../../webhook/cli/input/cluster/kubeconfig.ts'
import { createMemoryIo } from '../../memory-io.ts'

const TWO = 'contexts: [{name: home}, {name: work}]\n'
const FILES = {
  empty: '',
  comment: '# nothing\n',
  text: 'a',
  list: '- a\n',
  other: '# mine\nfoo: bar\n',
  pod: 'apiVersion: v1\nkind: Pod\n',
  'no-context': `apiVersion: v1\nkind: Config\n${TWO}`,
  unknown: `${TWO}current-context: gone\n`,
  utf16: Buffer.from('kind: Config', 'utf16le'),
  fine: `current-context: work\n${TWO}`,
  json: '{"kind": "Config", "contexts": [{"name": "home"}], "current-context": "home"}',
  // kubectl reads it, or says where it cannot.
  broken: '{a: [',
  numbers: 'contexts: [{name: 1}]\ncurrent-context: 1\n',
}

for (const [file, problem, context] of [
  ['gone', 'Cannot read gone: no such file or directory'],
  ['folder', 'Cannot read folder: expected a file, got a folder'],
  [
    'utf16',
    'Cannot read utf16: expected UTF-8, got UTF-16, which ">" of Windows PowerShell writes',
  ],
  ['empty', 'empty: expected a kubeconfig, found nothing'],
  ['comment', 'comment: expected a kubeconfig, found nothing'],
  ['text', 'text:1:1: expected a kubeconfig, found no map'],
  ['list', 'list:1:1: expected a kubeconfig, found no map'],
  ['other', 'other:2:1: expected a kubeconfig, found no contexts in it'],
  ['pod', 'pod:1:1: expected a kubeconfig (kind: Config), found Pod'],
  [
    'no-context',
    'no-context:1:1: expected a current-context, found none: choose with --context home or work',
  ],
  ['no-context', undefined, 'home'],
  [
    'unknown',
    'unknown:1:1: expected a context "gone", found none: choose with --context home or work',
  ],
  [
    'fine',
    'fine:1:1: expected a context "other", found none: choose with --context home or work',
    'other',
  ],
  ['fine', undefined],
  ['json', undefined],
  ['broken', undefined],
  ['numbers', undefined],
  // Of a variable that is not set.
  ['', undefined],
] as const) {
  test(`problemOfKubeconfig of ${file || 'no file'}${context ? ` with ${context}` : ''}`, async () => {
    const { io } = createMemoryIo({ files: FILES, folders: ['folder'] })
    const expected = problem && `--kubeconfig: ${problem}`
    assert.equal(await problemOfKubeconfig({ kubeconfig: file, context }, io), expected)
  })
}

for (const command of ['explain a', 'top a -n b', 'dashboard', 'doctor', 'doctor a', 'adopt']) {
  test(`${command} says that the file of --kubeconfig is missing, and asks nobody`, async () => {
    const { io, written } = createMemoryIo()
    const code = await runCommand([...command.split(' '), '--kubeconfig', 'gone'], io)
    const [name] = command.split(' ')
    const problem = '--kubeconfig: Cannot read gone: no such file or directory'
    const err = `flux-metrics ${name}: ${problem}\nSee flux-metrics ${name} --help\n`
    assert.deepEqual([code, written], [2, { out: '', err }])
  })
}
