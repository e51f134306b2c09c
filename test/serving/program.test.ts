import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'

const PROGRAM = join(import.meta.dirname, '../support/small-program.ts')

interface Run {
  readonly child: ChildProcess
  /** Resolves with the first line of the log that has the message. */
  logged(message: string): Promise<void>
  /** Resolves when the program has ended. */
  readonly ended: Promise<{
    code: number | null
    log: readonly unknown[]
    stdout: string
    stderr: string
  }>
}

function run(t: TestContext, { args = [], ...env }: { args?: string[]; WORK?: string } = {}): Run {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const lines: string[] = []
  const waiting = new Map<string, () => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    if (line.startsWith('{')) waiting.get(JSON.parse(line).msg)?.()
  })
  return {
    child,
    logged: (message) => new Promise((resolve) => waiting.set(message, resolve)),
    ended: once(child, 'close').then(([code]) => ({
      code,
      stderr,
      stdout: lines.join('\n'),
      log: lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line).msg] : [])),
    })),
  }
}

test('--help tells purpose and variables, and ends', async (t) => {
  const { code, stdout, stderr } = await run(t, { args: ['--help'] }).ended
  assert.deepEqual([code, stderr], [0, ''])
  assert.equal(
    stdout,
    [
      'Usage: small [--help] [--version]',
      '',
      'Does as it is told. Set by environment [default]:',
      '',
      '  WORK       run, fail, end, defect or never-start [run]',
      '  LOG_LEVEL  how much is told [info]',
    ].join('\n'),
  )
})

test('--version tells the version, and ends', async (t) => {
  const { code, stdout } = await run(t, { args: ['--version'] }).ended
  assert.deepEqual([code, stdout], [0, '1.2.3'])
})

for (const args of [['--verbose'], ['start']]) {
  test(`an argument that is not known ends it with code 2: ${args}`, async (t) => {
    const { code, stderr } = await run(t, { args }).ended
    assert.equal(code, 2)
    assert.match(stderr, /'(--verbose|start)'[\s\S]*\nSee --help\n$/)
  })
}

test('a wrong environment ends it with code 2 and every problem', async (t) => {
  const { code, stdout, stderr } = await run(t, { WORK: 'rest' }).ended
  assert.deepEqual([code, stdout], [2, ''])
  assert.equal(
    stderr,
    'Cannot start:\n  WORK: expected one of run, fail, end, defect, never-start, got "rest"\n',
  )
})

test('a start that fails ends it with code 2 and a sentence', async (t) => {
  const { code, stdout, stderr } = await run(t, { WORK: 'fail' }).ended
  assert.deepEqual([code, stdout], [2, ''])
  assert.equal(stderr, 'Cannot listen on port 1: it is reserved for root\n')
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} closes it, and ends it with code 0`, async (t) => {
    const { child, logged, ended } = run(t)
    await logged('working')
    child.kill(signal)
    const { code, log } = await ended
    assert.deepEqual([code, log], [0, ['working', 'closed']])
  })
}

test('a signal before it has started ends it at once, with code 0', async (t) => {
  const { child, logged, ended } = run(t, { WORK: 'never-start' })
  await logged('working')
  child.kill('SIGTERM')
  const { code, log } = await ended
  assert.deepEqual([code, log], [0, ['working']])
})

test('what is over by itself says why, closes, and ends with code 0', async (t) => {
  const { code, log, stdout } = await run(t, { WORK: 'end' }).ended
  assert.deepEqual([code, log], [0, ['working', 'ending', 'closed']])
  assert.match(stdout, /"reason":"there is nothing left to do"/)
})

test('a defect is logged, and does not end it', async (t) => {
  const { child, logged, ended } = run(t, { WORK: 'defect' })
  await logged('still working')
  child.kill('SIGTERM')
  const { code, log, stdout } = await ended
  assert.deepEqual(
    [code, log],
    [0, ['working', 'a defect, please report it', 'still working', 'closed']],
  )
  assert.match(stdout, /undefined is not a function/)
})
