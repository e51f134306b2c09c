import assert from 'node:assert/strict'
import { delimiter } from 'node:path'
import { test } from 'node:test'
import { runCommand } from '../../../../../webhook/cli/commands.ts'
import { problemOfKubeconfig } from '../../../../../webhook/cli/input/cluster/kubeconfig.ts'
import { fakeKubectl } from '../../../../support/fake-kubectl.ts'
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

// What the variable may have, with ":" between files.
for (const [files, problem, context] of [
  [['gone'], 'Cannot read gone: no such file or directory'],
  [['gone', 'away'], 'expected a kubeconfig, found none of gone and away'],
  [['', ''], `expected a kubeconfig, found only "${delimiter}"`],
  [['empty'], 'empty: expected a kubeconfig, found nothing'],
  [['empty', 'gone', 'comment'], 'empty and comment: expected a kubeconfig, found nothing'],
  [['fine', 'folder'], 'Cannot read folder: expected a file, got a folder'],
  [['fine', 'pod'], 'pod:1:1: expected a kubeconfig (kind: Config), found Pod'],
  [
    ['no-context', 'json'],
    'no-context and json: expected a context "gone", found none: choose with --context home or work',
    'gone',
  ],
  // The current context of the first one that has any counts.
  [
    ['unknown', 'fine'],
    'unknown and fine: expected a context "gone", found none: choose with --context home or work',
  ],
  [['gone', 'fine'], undefined],
  [['', 'empty', 'fine'], undefined],
  [['no-context', 'fine'], undefined],
  [['fine', 'unknown'], undefined],
  [['fine', 'broken'], undefined],
] as const) {
  test(`problemOfKubeconfig of KUBECONFIG with ${files.join(' and ')}`, async () => {
    const env = { KUBECONFIG: files.join(delimiter) }
    const { io } = createMemoryIo({ files: FILES, folders: ['folder'], env })
    const expected = problem && `KUBECONFIG: ${problem}`
    assert.equal(await problemOfKubeconfig({ context }, io), expected)
  })
}

test('without KUBECONFIG the file in the home is looked at, unless kubectl has a context', async (t) => {
  const none = await fakeKubectl(t, { namespace: undefined, args: '' })
  const own = await fakeKubectl(t, { args: '' })
  const problemWith = (env: object, files = {}) =>
    problemOfKubeconfig({}, createMemoryIo({ files, env: { HOME: '/home', ...env } }).io)
  const problem =
    'Cannot read /home/.kube/config: no such file or directory; --kubeconfig or KUBECONFIG chooses another kubeconfig'
  assert.equal(await problemWith(none), problem)
  assert.equal(await problemWith({ ...none, KUBECONFIG: '' }), problem)
  assert.equal(await problemWith(own), undefined)
  assert.equal(await problemWith(none, { '/home/.kube/config': FILES.fine }), undefined)
  // That there is no kubectl is told by whoever asks it.
  assert.equal(await problemWith({ PATH: '' }), undefined)
})

test('where kubectl has a server without any file, files are no problem', async () => {
  for (const env of [
    { KUBERNETES_SERVICE_HOST: '10.96.0.1' },
    { KUBERNETES_MASTER: 'http://127.0.0.1:8001' },
  ]) {
    const { io } = createMemoryIo({ env: { HOME: '/home', KUBECONFIG: 'gone', ...env } })
    assert.equal(await problemOfKubeconfig({}, io), undefined)
  }
})

for (const command of ['explain a', 'top a -n b', 'dashboard', 'doctor', 'doctor a', 'adopt']) {
  test(`${command} says that the file of --kubeconfig is missing, and asks nobody`, async () => {
    const { io, written } = createMemoryIo()
    const code = await runCommand([...command.split(' '), '--kubeconfig', 'gone'], io)
    const [name] = command.split(' ')
    const problem = '--kubeconfig: Cannot read gone: no such file or directory'
    const err = `flux-metrics ${name}: ${problem}\nSee flux-metrics ${name} --help\n`
    assert.deepEqual([code, written], [2, { out: '', err }])
  })

  test(`${command} says that the file of KUBECONFIG is missing, and asks nobody`, async () => {
    const { io, written } = createMemoryIo({ env: { KUBECONFIG: 'gone' } })
    const [name] = command.split(' ')
    const problem = 'KUBECONFIG: Cannot read gone: no such file or directory'
    const err = `flux-metrics ${name}: ${problem}\nSee flux-metrics ${name} --help\n`
    assert.equal(await runCommand(command.split(' '), io), 2)
    assert.deepEqual(written, { out: '', err })
  })
}
