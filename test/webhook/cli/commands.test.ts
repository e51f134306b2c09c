import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Command, EXIT, hasColor } from '../../../webhook/cli/command.ts'
import { COMMANDS, runCommand } from '../../../webhook/cli/commands.ts'
import { createMemoryIo } from './memory-io.ts'

const ECHO: Command = {
  name: 'echo',
  summary: 'say it again',
  help: ({ version }) => `help of ${version}\n`,
  run: async (args, io) => {
    io.out.write(args.join(' '))
    return EXIT.no
  },
}

async function run(...args: readonly string[]) {
  const { io, written } = createMemoryIo()
  const code = await runCommand(args, io, [ECHO, { ...ECHO, name: 'explain' }])
  return { code, ...written }
}

test('what a user is told has escapes for what nobody sees', async () => {
  const { io, written } = createMemoryIo()
  assert.equal(await runCommand(['a\u202eb'], io), 2)
  assert.match(written.err, /unknown command "a\\u\{202e\}b"/)
})

test('runCommand passes the arguments after the name to the command, and returns its exit code', async () => {
  assert.deepEqual(await run('echo', 'a', '--b'), { code: EXIT.no, out: 'a --b', err: '' })
})

test('runCommand wants the command first, before its options', async () => {
  const { code, err } = await run('--kubeconfig', 'k', 'explain')
  const problem =
    'expected a command before its options, got "--kubeconfig", see flux-metrics --help'
  assert.deepEqual([code, err], [EXIT.usage, `flux-metrics: ${problem}\n`])
})

const HELP = `Usage: flux-metrics COMMAND [options]

Tools for the metrics of a Flux MiniCluster and for its HorizontalPodAutoscaler.

  echo     say it again
  explain  say it again

Run "flux-metrics COMMAND --help" for the options of a command, and
"flux-metrics --version" for the version.
`

test('runCommand prints the table of commands', async () => {
  for (const word of ['--help', '-h', 'help']) {
    assert.deepEqual(await run(word), { code: EXIT.ok, out: HELP, err: '' })
  }
  assert.deepEqual(await run(), { code: EXIT.usage, out: '', err: HELP })
})

test('runCommand prints the help of a command for --help at any place', async () => {
  for (const args of [
    ['echo', '--help'],
    ['echo', 'a', '-h'],
    ['help', 'echo'],
  ]) {
    assert.deepEqual(await run(...args), { code: EXIT.ok, out: 'help of 1.2.3\n', err: '' })
  }
})

test('runCommand prints the version', async () => {
  assert.deepEqual(await run('--version'), { code: EXIT.ok, out: '1.2.3\n', err: '' })
})

for (const [args, problem] of [
  [['ech'], 'unknown command "ech", did you mean echo?'],
  [['ECHO'], 'unknown command "ECHO", did you mean echo?'],
  [['help', 'explian'], 'unknown command "explian", did you mean explain?'],
  [['frobnicate'], 'unknown command "frobnicate", see flux-metrics --help'],
] as const) {
  test(`runCommand suggests what to do after ${args.join(' ')}`, async () => {
    const err = `flux-metrics: ${problem}\n`
    assert.deepEqual(await run(...args), { code: EXIT.usage, out: '', err })
  })
}

test('the list of commands fits into 80 columns', async () => {
  const { io, written } = createMemoryIo()
  await runCommand(['--help'], io)
  assert.deepEqual(
    written.out.split('\n').filter((line) => line.length > 80),
    [],
  )
})

for (const command of COMMANDS) {
  test(`the help of ${command.name} fits into 80 columns`, () => {
    const lines = command.help(createMemoryIo().io).split('\n')
    assert.deepEqual(
      lines.filter((line) => line.length > 80),
      [],
    )
  })
}

test('hasColor is true on a terminal, unless the environment forbids it', () => {
  const colored = (env: Record<string, string>, outIsTerminal = true) => {
    const { io } = createMemoryIo({ outIsTerminal, env })
    return hasColor(io.out, io)
  }
  assert.equal(colored({}), true)
  assert.equal(colored({ NO_COLOR: '' }), true)
  assert.equal(colored({ NO_COLOR: '1' }), false)
  assert.equal(colored({ TERM: 'dumb' }), false)
  assert.equal(colored({}, false), false)
})
