// The demo as a process, as `npm start` runs it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'

const MAIN = join(import.meta.dirname, 'main.ts')

function start(args: readonly string[], port = '0') {
  const { FLUX_URI: _, ...env } = process.env
  return spawn(process.execPath, [MAIN, ...args], { env: { ...env, LISTEN_PORT: port } })
}

async function run(args: readonly string[], port?: string) {
  const child = start(args, port)
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  return { code, out, err }
}

test('the demo prints its first screen, a line a second, and ends by itself', async () => {
  const { code, out, err } = await run(['--seconds', '3'])
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /^flux-metrics: autoscaling a Flux MiniCluster on what its scheduler knows\n/)
  assert.match(out, /^ {2}broker {5}simulated, 2 of 16 nodes up/m)
  const [, page = ''] = /^ {2}page {7}(http:\S+) \(open it\)$/m.exec(out) ?? []
  assert.match(page, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/)
  assert.match(out, /^ {4}curl -k https:\/\/localhost:\d+\/readyz$/m)
  const [, table = ''] = out.split(/^ {2}time.*HPA\n/m)
  const lines = table.split('\n')
  assert.deepEqual(
    lines.filter((line) => /^ {4}\ds/.test(line)).map((line) => line.trim().split(' ')[0]),
    ['1s', '2s', '3s'],
  )
  assert.match(
    table,
    /^ {4}3s .* grow to \d+\n {9}desired \d+: \d+ pending jobs? needs? \d+ nodes/m,
  )
  assert.match(table, /\nstopped\n$/)
})

test('the demo serves its page, and ends cleanly on Ctrl-C', async () => {
  const child = start([])
  const lines: string[] = []
  const exit = once(child, 'exit')
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    if (!/^ +1s /.test(line)) continue
    const [, page = ''] = /page {7}(\S+)/.exec(lines.join('\n')) ?? []
    const { kind, explanation } = await (await fetch(`${page}data/state`)).json()
    assert.deepEqual([kind, explanation.maximum], ['known', 16])
    child.kill('SIGINT')
  }
  assert.deepEqual(await exit, [0, null])
  assert.equal(lines.at(-1), 'stopped')
})

test('the demo says that its port is taken, and how to choose another', async (t) => {
  const other = createServer().listen(0)
  t.after(() => other.close())
  await once(other, 'listening')
  const address = other.address()
  assert.ok(address !== null && typeof address === 'object')
  const { code, err } = await run(['--seconds', '1'], String(address.port))
  assert.equal(code, 2)
  assert.equal(
    err,
    `Cannot listen on port ${address.port}: another program uses it; choose another with LISTEN_PORT\n`,
  )
})

for (const [args, problem] of [
  [['--seconds', 'few'], '--seconds: expected a number above 0, got "few"'],
  [['--seconds', '0'], '--seconds: expected a number above 0, got "0"'],
  [['--minutes'], "Unknown option '--minutes'"],
] as const) {
  test(`the demo refuses ${args.join(' ')}, and prints its usage`, async () => {
    const { code, out, err } = await run(args)
    assert.deepEqual([code, out], [2, ''])
    assert.ok(err.startsWith(problem), err)
    assert.match(err, /\n\nUsage: npm start \[-- --seconds N\]\n/)
  })
}
