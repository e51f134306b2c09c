import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

function run(program: string, ...args: readonly string[]) {
  return runFile(`${program}/main.ts`, args, {})
}

function runFile(name: string, args: readonly string[], variables: NodeJS.ProcessEnv) {
  const file = join(import.meta.dirname, '..', name)
  const env = { ...process.env, ...variables }
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { env })
  return { status, out: String(stdout), err: String(stderr) }
}

for (const program of ['bench', 'soak']) {
  test(`npm run ${program} -- --help prints its usage and measures nothing`, () => {
    const { status, out, err } = run(program, '--help')
    assert.deepEqual([status, err], [0, ''])
    assert.match(out, new RegExp(`^Usage: npm run ${program} -- .*--short`))
  })

  test(`npm run ${program} refuses wrong arguments, and says which are right`, () => {
    const option = run(program, '--shrt')
    assert.equal(option.status, 2)
    assert.match(option.err, /^Unknown option '--shrt'\n\nUsage: /)
    const name = run(program, 'nonsense')
    assert.equal(name.status, 2)
    assert.match(name.err, /^expected one of "\w+".*, got "nonsense"\n\nUsage: /)
  })
}

test('the program that takes the pictures of the page has help, and refuses wrong arguments', () => {
  const pictures = (argument: string) => runFile('support/dashboard/pictures.ts', [argument], {})
  const help = pictures('--help')
  assert.deepEqual([help.status, help.err], [0, ''])
  assert.match(help.out, /^Usage: node test\/support\/dashboard\/pictures\.ts \[NAME\]/)
  assert.match(
    pictures('nonsense').err,
    /^expected one of "waiting", .*, got "nonsense"\n\nUsage: /,
  )
})

test('npm run build has help, and refuses a program that there is not without a stack', () => {
  const help = runFile('support/build.ts', ['--help'], {})
  assert.deepEqual([help.status, help.err], [0, ''])
  assert.match(help.out, /^Usage: npm run build -- \[PROGRAM\]/)
  const { status, out, err } = runFile('support/build.ts', ['sidecar', 'nonsense'], {})
  assert.deepEqual([status, out], [2, ''])
  assert.match(err, /^expected some of sidecar, .*, got "nonsense"\n\nUsage: /)
})

test('npm run bench refuses a hostile queue that there is not', () => {
  const { status, err } = run('bench', 'hostile', '--queue', 'nonsense')
  assert.equal(status, 2)
  assert.match(err, /^--queue: expected a part of the name of a hostile queue, got "nonsense"\n/)
})

test('npm run test:unit has help, and refuses wrong arguments without a stack', () => {
  const unit = (...args: readonly string[]) => runFile('support/run-tests.ts', args, {})
  for (const flag of ['--help', '-h']) {
    const { status, out, err } = unit(flag)
    assert.deepEqual([status, err], [0, ''])
    assert.match(out, /^Usage: npm run test:unit -- \[PATH\]/)
  }
  for (const [args, problem] of [
    [['test/nonsense'], 'no tests in "test/nonsense"'],
    [['--nonsense'], "Unknown option '--nonsense'"],
  ] as const) {
    const { status, out, err } = unit(...args)
    assert.deepEqual([status, out], [2, ''])
    assert.ok(err.startsWith(`${problem}\n\nUsage: `), err)
  }
})

test('npm run e2e has help, and says what it lacks without a cluster', () => {
  const e2e = (KUBECONFIG: string, ...args: readonly string[]) =>
    runFile('e2e/main.ts', args, { KUBECONFIG })
  const help = e2e('', '--help')
  assert.deepEqual([help.status, help.err], [0, ''])
  assert.match(help.out, /^Usage: KUBECONFIG=FILE npm run e2e -- \[NAME\][\s\S]*gateway/)
  const unset = e2e('')
  assert.deepEqual([unset.status, unset.out], [2, ''])
  assert.match(unset.err, /^KUBECONFIG is not set\n\nUsage: /)
  const name = e2e('', 'nonsense')
  assert.equal(name.status, 2)
  assert.match(name.err, /^expected one of "api".*, got "nonsense"\n\nUsage: /)
  const silent = e2e('/nowhere')
  assert.deepEqual([silent.status, silent.out], [1, ''])
  assert.match(silent.err, /^no cluster answers at \/nowhere: [^\n]+\n$/)
})
