// A command that runs beside the tests: they wait as much as they compute.
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

/** How a command has ended. */
export interface Ended {
  readonly passed: boolean
  /** All that it has printed. */
  readonly output: string
}

/** Runs a command to its end. Never rejects: one that cannot be started has not passed. */
export async function runBeside(command: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const { promise: code, resolve } = Promise.withResolvers<number | null>()
  let problem = ''
  child.on('error', (error) => {
    problem = `${error.message}\n`
    resolve(1)
  })
  child.on('close', resolve)
  const printed = Promise.all([text(child.stdout), text(child.stderr)])
  const passed = (await code) === 0
  return { passed, output: (await printed).join('') + problem }
}
