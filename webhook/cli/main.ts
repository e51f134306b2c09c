#!/usr/bin/env node
// The program `flux-metrics`. No other file of webhook/cli/ uses the process.
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import './older-node.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { EXIT, type Io, type Output } from './command.ts'
import { runCommand } from './commands.ts'
import { reasonOf } from './input/files/inputs.ts'

function outputTo(stream: NodeJS.WriteStream): Output {
  return {
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.isTTY === true ? stream.columns : undefined
    },
    get rows() {
      return stream.isTTY === true ? stream.rows : undefined
    },
    write: (data) => void stream.write(data),
  }
}

// A reader such as `| head` may close the pipe before the end. Of everything else, such as a full disk, the result is cut.
const streams = { 'standard output': process.stdout, 'standard error': process.stderr }
for (const [name, stream] of Object.entries(streams)) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return
    if (stream !== process.stderr) {
      process.stderr.write(`flux-metrics: Cannot write to ${name}: ${reasonOf(error)}\n`)
    }
    process.exit(EXIT.no)
  })
}

// Debian 12 has Node 18.
const { node } = process.versions
if (Number.parseInt(node, 10) < 20) {
  process.stderr.write(`flux-metrics: expected Node 20 or later, got Node ${node}\n`)
  process.exit(EXIT.usage)
}

const io: Io = {
  out: outputTo(process.stdout),
  err: outputTo(process.stderr),
  env: process.env,
  readFile: (path) => readFile(path),
  writeFile: (path, data) => writeFile(path, data),
  createFolder: async (path) => {
    await mkdir(path)
  },
  checkWritable: async (path) => {
    const file = await open(path, 'a')
    await file.close()
  },
  inputIsTerminal: process.stdin.isTTY === true,
  readInput: () => buffer(process.stdin),
  onInterrupt: (stop) => {
    const signals = ['SIGINT', 'SIGTERM'] as const
    for (const signal of signals) process.on(signal, stop)
    return () => {
      for (const signal of signals) process.off(signal, stop)
    }
  },
  version: packageJson.version,
}

// Not awaited here: the bundle is CommonJS, which has no await at its top. What is thrown ends the program all the same.
void runCommand(process.argv.slice(2), io).then((code) => {
  process.exitCode = code
})
