// A program of the project as a process of its own, with an environment of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'

export interface Program {
  readonly child: ChildProcess
  /** Resolves when the program has ended. */
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>
}

export interface ProgramOptions {
  readonly args?: readonly string[]
  /** All of its environment. Default: empty. */
  readonly env?: Readonly<Record<string, string>>
}

/** A variable by which a program shares with the tests what Node makes of the sources: half the time of its start. */
export const SHARED_CACHE: Readonly<Record<string, string>> = process.env.NODE_COMPILE_CACHE
  ? { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }
  : {}

/** Starts the program of a source. It is killed when the test ends. */
export function startProgram(
  t: TestContext,
  main: string,
  { args = [], env = {} }: ProgramOptions = {},
): Program {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...SHARED_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString()
  })
  const ended = once(child, 'close').then(([code]) => ({ code, ...output }))
  return { child, ended }
}

/** The first line of the program's log with this message. */
export async function loggedLine(program: Program, message: string) {
  if (program.child.stdout === null) throw new Error('The program has no output')
  for await (const text of createInterface({ input: program.child.stdout })) {
    const parsed = JSON.parse(text)
    if (parsed.msg === message) return parsed
  }
  throw new Error(`Expected the line "${message}", got ${JSON.stringify(await program.ended)}`)
}
