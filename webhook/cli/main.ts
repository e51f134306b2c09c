#!/usr/bin/env node
// The program `flux-metrics`. No other file of webhook/cli/ uses the process.
import { readFile, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import packageJson from '../../package.json' with { type: 'json' }
import type { Output } from './command.ts'
import { runCommand } from './commands.ts'

function outputTo(stream: NodeJS.WriteStream): Output {
  return { isTerminal: stream.isTTY === true, write: (data) => void stream.write(data) }
}

// A reader such as `| head` may close the pipe before the end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await runCommand(process.argv.slice(2), {
  out: outputTo(process.stdout),
  err: outputTo(process.stderr),
  env: process.env,
  readFile: (path) => readFile(path, 'utf8'),
  writeFile: (path, data) => writeFile(path, data),
  inputIsTerminal: process.stdin.isTTY === true,
  readInput: () => text(process.stdin),
  version: packageJson.version,
})
