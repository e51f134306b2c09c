// The program as a process.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import packageJson from '../../../package.json' with { type: 'json' }
import { recordedText } from './sources.ts'

const ROOT = join(import.meta.dirname, '../../..')
const MAIN = join(ROOT, 'webhook/cli/main.ts')
const MINICLUSTER = recordedText('operator/minicluster-after-resize.json')

async function run(args: readonly string[], input = '', ofNode: readonly string[] = []) {
  const child = spawn(process.execPath, [...ofNode, MAIN, ...args])
  child.stdin.end(input)
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  return { code, out, err }
}

test('the program reads standard input, prints the pod and exits with the code', async () => {
  const { code, out, err } = await run(['inject'], MINICLUSTER)
  assert.equal(code, 0)
  assert.match(out, /^apiVersion: v1\nkind: Pod\n/)
  assert.match(err, /^pod\/flux-sample-0-\* \(made from minicluster\/flux-sample\): injected as /m)
})

test('the program prints no colours into a pipe, and its version', async () => {
  const { out } = await run(['inject', '--diff'], MINICLUSTER)
  assert.equal(out.includes('\u001b'), false)
  assert.deepEqual(await run(['--version']), { code: 0, out: `${packageJson.version}\n`, err: '' })
})

test('the program ends without an error when its reader closes the pipe', async () => {
  const child = spawn(process.execPath, [MAIN, 'inject'])
  child.stdout.destroy()
  child.stdin.end(MINICLUSTER)
  const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  assert.match(err, /^pod\/[^\n]+: injected as [^\n]+\n$/m)
  assert.equal(code, 0)
})

const FULL = '/dev/full'
const NOT_LINUX = existsSync(FULL) ? false : `there is no ${FULL}`

test('the program says that a result cannot be written, and fails', {
  skip: NOT_LINUX,
}, async (t) => {
  const full = await open(FULL, 'w')
  t.after(() => full.close())
  const child = spawn(process.execPath, [MAIN, '--help'], { stdio: ['ignore', full.fd, 'pipe'] })
  const { stderr } = child
  assert.ok(stderr !== null)
  const [err, [code]] = await Promise.all([text(stderr), once(child, 'exit')])
  const reason = 'no space left on device'
  assert.equal(err, `flux-metrics: Cannot write to standard output: ${reason}\n`)
  assert.equal(code, 1)
})

test('the program says that Node is too old for it, instead of a stack', async () => {
  const preload =
    'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"18.20.8"}})'
  const { code, out, err } = await run(['inject'], MINICLUSTER, ['--import', preload])
  assert.deepEqual([code, out], [2, ''])
  assert.equal(err, 'flux-metrics: expected Node 20 or later, got Node 18.20.8\n')
})
