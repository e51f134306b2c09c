import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { SHARED_CACHE } from '../support/program.ts'

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
    env: { ...SHARED_CACHE, ...env },
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

test('--help prints purpose and variables, and exits', async (t) => {
  const { code, stdout, stderr } = await run(t, { args: ['--help'] }).ended
  assert.deepEqual([code, stderr], [0, ''])
  assert.equal(
    stdout,
    [
      'Usage: small [--help] [--version]',
      '',
      'Does what WORK says. Environment variables [default]:',
      '',
      '  WORK       run, fail, end, defect or never-start [run]',
      '  LOG_LEVEL  how much is logged [info]',
    ].join('\n'),
  )
})

test('--version prints the version, and exits', async (t) => {
  const { code, stdout } = await run(t, { args: ['--version'] }).ended
  assert.deepEqual([code, stdout], [0, '1.2.3'])
})

for (const args of [['--verbose'], ['start']]) {
  test(`an unknown argument ends the program with code 2: ${args}`, async (t) => {
    const { code, stderr } = await run(t, { args }).ended
    assert.equal(code, 2)
    assert.match(stderr, /'(--verbose|start)'[\s\S]*\nSee --help\n$/)
  })
}

test('a wrong environment ends the program with code 2, and all problems are printed', async (t) => {
  const { code, stdout, stderr } = await run(t, { WORK: 'rest' }).ended
  assert.deepEqual([code, stdout], [2, ''])
  assert.equal(
    stderr,
    'Cannot start:\n  WORK: expected one of run, fail, end, defect, never-start, got "rest"\n',
  )
})

test('a start that fails ends the program with code 2, and the error is printed', async (t) => {
  const { code, stdout, stderr } = await run(t, { WORK: 'fail' }).ended
  assert.deepEqual([code, stdout], [2, ''])
  assert.equal(stderr, 'Cannot listen on port 1: it is reserved for root\n')
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} closes the program and ends it with code 0`, async (t) => {
    const { child, logged, ended } = run(t)
    await logged('working')
    child.kill(signal)
    const { code, log } = await ended
    assert.deepEqual([code, log], [0, ['working', 'closed']])
  })
}

test('a signal before the start is complete ends the program at once with code 0', async (t) => {
  const { child, logged, ended } = run(t, { WORK: 'never-start' })
  await logged('working')
  child.kill('SIGTERM')
  const { code, log } = await ended
  assert.deepEqual([code, log], [0, ['working']])
})

test('a program that ends by itself logs the reason, closes, and exits with code 0', async (t) => {
  const { code, log, stdout } = await run(t, { WORK: 'end' }).ended
  assert.deepEqual([code, log], [0, ['working', 'the program ends by itself', 'closed']])
  assert.match(stdout, /"reason":"there is nothing left to do"/)
})

test('a defect is logged, and does not end the program', async (t) => {
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
