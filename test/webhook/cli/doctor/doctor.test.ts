// The command: its arguments, a cluster that nobody answers for, and its exit codes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DOCTOR, exitCodeOf } from '../../../../webhook/cli/doctor/doctor.ts'
import { type Code, finding } from '../../../../webhook/cli/doctor/finding.ts'
import { fakeKubectl } from '../../../support/fake-kubectl.ts'
import { createMemoryIo, type MemoryIoOptions } from '../memory-io.ts'

async function run(args: readonly string[], options: MemoryIoOptions = {}) {
  const { io, written } = createMemoryIo(options)
  const code = await DOCTOR.run(args, io)
  return { code, ...written }
}

test('doctor asks kubectl, which asks nothing more after the first failure', async (t) => {
  const args = '--context=lab get --raw /version'
  const env = await fakeKubectl(t, { args, err: 'dial tcp: no route to host', code: 1 })
  const command = ['flux-sample', '-n', 'hpc', '--context', 'lab', '-o', 'json']
  const { code, out, err } = await run(command, { env })
  assert.deepEqual([code, err], [1, ''])
  const { minicluster, findings, unchecked, passed } = JSON.parse(out)
  assert.deepEqual(minicluster, { namespace: 'hpc', name: 'flux-sample' })
  assert.deepEqual(findings, [
    {
      code: 'api-server-unreachable',
      level: 'error',
      subject: 'the API server',
      message: 'dial tcp: no route to host',
      fix: 'choose the cluster and the user with --kubeconfig or KUBECONFIG, and --context, and try: kubectl version',
    },
  ])
  assert.ok(unchecked.length > 20)
  assert.deepEqual(passed, [])
})

test('doctor without a name checks what is installed, in the words of kubectl that is missing', async () => {
  const { code, out } = await run([], { env: { PATH: '/nowhere' } })
  assert.equal(code, 1)
  assert.match(out, /^What is installed\n\nerror {4}api-server-unreachable: the API server\n/)
  assert.match(
    out,
    /there is no kubectl in PATH\nfix {6}install kubectl, or add its folder to PATH/,
  )
})

test('doctor writes no control characters of others', async (t) => {
  const env = await fakeKubectl(t, { args: 'get --raw /version', err: 'a\u001b[2Jb', code: 1 })
  const { out } = await run([], { env })
  assert.match(out, /a\\u\{1b\}\[2Jb/)
  const json = await run(['-o', 'json'], {
    env: await fakeKubectl(t, { args: 'get --raw /version', err: 'a\u202eb', code: 1 }),
  })
  assert.match(json.out, /"a\\u202eb"/)
})

test('doctor says why the namespace is not known', async (t) => {
  const env = await fakeKubectl(t, { namespace: undefined, args: '' })
  const { code, err } = await run(['flux-sample'], { env })
  assert.equal(code, 1)
  assert.match(err, /^flux-metrics doctor: kubectl has no context to use/)
})

for (const [args, problem] of [
  [['a', 'b'], 'expected one MiniCluster, got a b'],
  [['A'], 'expected a name of lower-case letters, digits and "-", got "A"'],
  [['a', '-n', 'B'], '--namespace: expected a name of lower-case letters, digits and "-", got "B"'],
  [['-n', 'hpc'], '--namespace: expected the name of a MiniCluster with it'],
  [['a', '-o', 'yaml'], '--output: expected text or json, got "yaml"'],
  [['a', '--nonsense'], "Unknown option '--nonsense'"],
] as const) {
  test(`doctor refuses ${args.join(' ')}`, async () => {
    const { code, out, err } = await run(args)
    assert.deepEqual([code, out], [2, ''])
    assert.equal(err, `flux-metrics doctor: ${problem}\nSee flux-metrics doctor --help\n`)
  })
}

test('the exit code is that of the worst finding', () => {
  const codes = (...all: readonly Code[]) =>
    exitCodeOf({
      findings: all.map((code) => finding(code, { subject: '', message: '', fix: '' })),
    })
  assert.equal(codes(), 0)
  assert.equal(codes('hpa-none'), 0)
  assert.equal(codes('hpa-none', 'annotation'), 3)
  assert.equal(codes('not-readable'), 3)
  assert.equal(codes('annotation', 'hpa-value'), 1)
})
