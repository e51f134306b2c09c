// The server of the page over HTTP: what it serves, its headers, and whom it asks for what.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Subject } from '../../../../webhook/cli/dashboard/data.ts'
import { startDashboard } from '../../../../webhook/cli/dashboard/loopback-server.ts'
import { SceneData } from '../../../support/dashboard/scene-data.ts'
import { ask } from '../../../support/https.ts'

const START = { version: '1.2.3', subject: null, title: null, hasList: true }
const FILES = new Map([
  ['index.html', { type: 'text/html; charset=utf-8', text: '<!doctype html>' }],
  ['page.js', { type: 'text/javascript; charset=utf-8', text: 'start()' }],
])

/** Keeps what it is asked for. */
class AskedScene extends SceneData {
  readonly asked: unknown[] = []
  override async state(subject: Subject | null = null) {
    this.asked.push(subject)
    return super.state()
  }
}

async function serve(t: TestContext) {
  const data = new AskedScene(START, { kind: 'unknown', reason: 'no list' })
  const dashboard = await startDashboard({ data, files: FILES, port: 0 })
  t.after(() => dashboard.close())
  const { port, pathname } = new URL(dashboard.url)
  const get = (path: string, options = {}) =>
    ask(Number(port), `${pathname}${path}`, { plain: true, ...options })
  return { data, get, dashboard, port: Number(port) }
}

test('the address is on loopback, with a long token that is new each time', async (t) => {
  const [one, two] = [await serve(t), await serve(t)]
  const form = /^http:\/\/127\.0\.0\.1:\d+\/([\w-]{32})\/$/
  const tokens = [one, two].map(({ dashboard }) => form.exec(dashboard.url)?.[1])
  assert.equal(new Set(tokens).size, 2)
})

test('the files of the page are served with headers that allow it nothing else', async (t) => {
  const { get } = await serve(t)
  const page = await get('')
  assert.deepEqual([page.status, page.text], [200, '<!doctype html>'])
  assert.equal((await get('page.js')).headers['content-type'], 'text/javascript; charset=utf-8')
  for (const path of ['', 'page.js', 'data/start', 'nothing']) {
    const { headers } = await get(path)
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/)
    assert.match(policy, /frame-ancestors 'none'; require-trusted-types-for 'script'/)
    assert.ok(!policy.includes('unsafe'))
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
  }
})

test('connections of other programs on the machine do not keep the user out', async (t) => {
  const { get, port } = await serve(t)
  const sockets = Array.from({ length: 200 }, () => connect(port, '127.0.0.1'))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  for (const socket of sockets) socket.on('error', () => {})
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  assert.equal((await get('data/start')).status, 200)
})

test('data are JSON, about the MiniCluster that is named', async (t) => {
  const { get, data } = await serve(t)
  const start = await get('data/start')
  assert.deepEqual(JSON.parse(start.text), START)
  assert.equal(start.headers['content-type'], 'application/json')
  assert.deepEqual(JSON.parse((await get('data/list')).text), {
    kind: 'unknown',
    reason: 'no list',
  })
  await get('data/state?namespace=hpc&name=flux-sample')
  await get('data/state')
  assert.deepEqual(data.asked, [{ namespace: 'hpc', name: 'flux-sample' }, null])
  const hpa = JSON.parse((await get('data/hpa?metric=job_held_count')).text)
  assert.match(hpa.yaml, /name: job_held_count/)
})

test('what is no name of a MiniCluster never becomes a question', async (t) => {
  const { get, data } = await serve(t)
  for (const query of [
    'namespace=hpc',
    'name=a',
    'namespace=hpc&name=--kubeconfig',
    'namespace=..&name=a',
    'namespace=a%2Fb&name=a',
    `namespace=a&name=${'a'.repeat(64)}`,
  ]) {
    assert.equal((await get(`data/state?${query}`)).status, 404, query)
  }
  assert.equal((await get('data/hpa')).status, 404)
  assert.equal((await get(`data/hpa?metric=${'m'.repeat(254)}`)).status, 404)
  assert.deepEqual(data.asked, [])
})

test('without the token, by another host or with another method there is nothing', async (t) => {
  const { get, port } = await serve(t)
  assert.equal((await ask(port, '/', { plain: true })).status, 404)
  assert.equal((await ask(port, '/favicon.ico', { plain: true })).status, 404)
  assert.equal((await get('', { headers: { host: 'evil.example' } })).status, 403)
  assert.equal(
    (await get('data/state', { headers: { origin: 'http://evil.example' } })).status,
    403,
  )
  assert.equal((await get('data/state', { method: 'POST', body: '{}' })).status, 405)
})

test('a source that fails is a 500 with its words, and the next question is answered', async (t) => {
  const { get, data } = await serve(t)
  const list = t.mock.method(data, 'list', async () => {
    throw new Error('a defect')
  })
  const { status, text } = await get('data/list')
  assert.deepEqual([status, text], [500, 'a defect\n'])
  list.mock.restore()
  assert.equal((await get('data/list')).status, 200)
})

test('a port that is taken is an error', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await new Promise((resolve) => other.once('listening', resolve))
  const address = other.address()
  assert.ok(typeof address === 'object' && address !== null)
  const data = new SceneData(START, { kind: 'unknown', reason: 'no list' })
  await assert.rejects(startDashboard({ data, files: FILES, port: address.port }), {
    message: `Cannot listen on port ${address.port} of 127.0.0.1: another program uses it; choose another with --port`,
  })
})
