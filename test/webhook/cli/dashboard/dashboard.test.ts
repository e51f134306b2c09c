// The command: its arguments, its address, and its end.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { DASHBOARD } from '../../../../webhook/cli/dashboard/dashboard.ts'
import { fakeKubectl } from '../../../support/fake-kubectl.ts'
import { until } from '../../../support/until.ts'
import { createMemoryIo } from '../memory-io.ts'

const API = 'get --raw /apis/custom.metrics.k8s.io/v1beta2'

test('dashboard prints the address of the page, serves it until Ctrl-C, and asks for the list', async (t) => {
  const out = JSON.stringify({ miniclusters: [], more: 0 })
  const args = `${API}/miniclusters.flux-framework.org/*/explain`
  const env = await fakeKubectl(t, { namespace: 'hpc', args, out })
  const { io, written, interrupt } = createMemoryIo({ env })
  const ended = DASHBOARD.run(['--no-open'], io)
  await until(() => written.out.endsWith('\n'), 'the address')
  const url = written.out.trim()
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/)
  assert.match(written.err, /Ctrl-C ends it/)
  const get = async (path: string) => (await fetch(`${url}${path}`)).json()
  assert.deepEqual(await get('data/start'), {
    version: '1.2.3',
    subject: null,
    title: null,
    hasList: true,
  })
  const { kind, overview } = await get('data/list')
  assert.deepEqual([kind, overview.miniclusters], ['known', []])
  assert.match(await (await fetch(url)).text(), /<title>flux-metrics<\/title>/)
  interrupt()
  assert.equal(await ended, 0)
  await assert.rejects(fetch(url))
})

test('dashboard goes on where the browser cannot be opened', async (t) => {
  const kubectl = await fakeKubectl(t, { namespace: 'hpc', args: 'none' })
  const { TMPDIR } = process.env
  process.env.TMPDIR = '/nowhere'
  t.after(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  })
  const { io, written, interrupt } = createMemoryIo({ env: { ...kubectl, DISPLAY: ':0' } })
  const ended = DASHBOARD.run([], io)
  await until(() => written.out.endsWith('\n') || written.err !== '', 'the address')
  assert.equal((await fetch(written.out.trim())).status, 200)
  interrupt()
  assert.equal(await ended, 0)
})

test('dashboard NAME shows that MiniCluster of the namespace of the context', async (t) => {
  const env = await fakeKubectl(t, { namespace: 'hpc', args: 'none' })
  const { io, written, interrupt } = createMemoryIo({ env })
  const ended = DASHBOARD.run(['flux-sample', '--no-open'], io)
  await until(() => written.out.endsWith('\n'), 'the address')
  const start = await (await fetch(`${written.out.trim()}data/start`)).json()
  assert.deepEqual(start.subject, { namespace: 'hpc', name: 'flux-sample' })
  interrupt()
  await ended
})

test('dashboard --url shows one sidecar, by its address', async () => {
  const { io, written, interrupt } = createMemoryIo()
  const ended = DASHBOARD.run(['--url', 'https://localhost:1', '--insecure', '--no-open'], io)
  await until(() => written.out.endsWith('\n'), 'the address')
  const get = async (path: string) => (await fetch(`${written.out.trim()}${path}`)).json()
  assert.equal((await get('data/start')).title, 'localhost:1')
  assert.match((await get('data/state')).reason, /nothing listens at localhost:1/)
  interrupt()
  assert.equal(await ended, 0)
})

test('dashboard without a context says how to choose one', async (t) => {
  const env = await fakeKubectl(t, { namespace: undefined, args: 'none' })
  const { io, written } = createMemoryIo({ env })
  assert.equal(await DASHBOARD.run(['--no-open'], io), 1)
  assert.match(written.err, /^flux-metrics dashboard: kubectl has no context to use/)
})

test('dashboard says that its port is taken', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await until(() => other.listening, 'the port')
  const address = other.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  const env = await fakeKubectl(t, { args: 'none' })
  const { io, written } = createMemoryIo({ env })
  assert.equal(await DASHBOARD.run(['--no-open', '--port', port], io), 1)
  assert.match(written.err, new RegExp(`^flux-metrics dashboard: Cannot listen on port ${port} `))
})

for (const [args, problem] of [
  [['a', 'b'], 'expected one MiniCluster, got a b'],
  [['--port', '70000'], '--port: expected a port from 0 to 65535, got "70000"'],
  [['--port', 'x'], '--port: expected a port from 0 to 65535, got "x"'],
  [['--insecure'], '--insecure: cannot be used without --url'],
  [['-n', 'A'], '--namespace: expected a name of lower-case letters, digits and "-", got "A"'],
  [['a', '--url', 'https://b:1'], 'expected a MiniCluster or --url, got both'],
] as const) {
  test(`dashboard refuses ${args.join(' ')}`, async () => {
    const { io, written } = createMemoryIo()
    assert.equal(await DASHBOARD.run(args, io), 2)
    const expected = `flux-metrics dashboard: ${problem}\nSee flux-metrics dashboard --help\n`
    assert.equal(written.err, expected)
  })
}
