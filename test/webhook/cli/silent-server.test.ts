// An API server that takes connections and never answers: every command ends, and says how long it has waited.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCommand } from '../../../webhook/cli/commands.ts'
import { ClusterData } from '../../../webhook/cli/dashboard/cluster-data.ts'
import { httpsGet } from '../../../webhook/cli/input/cluster/https-get.ts'
import { fakeKubectl } from '../../support/fake-kubectl.ts'
import { createMemoryIo } from './memory-io.ts'

const API = '/apis/custom.metrics.k8s.io/v1beta2'
const RAW = `get --raw ${API}/namespaces/hpc/miniclusters.flux-framework.org/a/explain`
const NAMES = ['v1beta1.custom', 'v1beta2.custom', 'v1beta1.external']
const API_SERVICES = NAMES.map((name) => `${name}.metrics.k8s.io`).join(' ')

const REASON =
  'kubectl did not answer in 30 s: can you reach the API server, and are you logged in?'

/** Lets a time pass when it is asked. */
async function afterwards(t: TestContext, args: string, seconds: number) {
  const folder = await mkdtemp(join(tmpdir(), 'silent-'))
  t.after(() => rm(folder, { recursive: true }))
  const pidFile = join(folder, 'pid')
  const env = await fakeKubectl(t, { args, hangs: { pidFile } })
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const pass = async () => {
    while (!existsSync(pidFile)) await new Promise(setImmediate)
    t.mock.timers.tick(seconds * 1000)
  }
  return { env, pass }
}

for (const [command, args] of [
  ['explain a -n hpc', `${RAW}?format=text`],
  ['explain a -n hpc --json', RAW],
  ['top a -n hpc --once', `${RAW}?include=jobs,ranks`],
  [
    'adopt',
    `get apiservices.apiregistration.k8s.io ${API_SERVICES} --ignore-not-found --output=json`,
  ],
  ['doctor -o json', 'get --raw /version'],
  ['doctor a -n hpc -o json', 'get --raw /version'],
] as const) {
  test(`${command} ends after 30 s without an answer`, async (t) => {
    const { env, pass } = await afterwards(t, args, 30)
    const { io, written } = createMemoryIo({ env })
    const ended = runCommand(command.split(' '), io)
    await pass()
    assert.equal(await ended, 1)
    const said = `${written.out}${written.err}`
    assert.ok(said.includes(REASON), said)
  })
}

test('the list of the dashboard ends after 10 s without an answer', async (t) => {
  const args = `get --raw ${API}/miniclusters.flux-framework.org/*/explain`
  const { env, pass } = await afterwards(t, args, 10)
  const { io } = createMemoryIo({ env })
  const { signal } = new AbortController()
  const data = new ClusterData({ io, kubectl: {}, namespace: 'hpc', name: undefined, signal })
  const list = data.list()
  await pass()
  const reason = REASON.replace('30 s', '10 s')
  assert.deepEqual(await list, { kind: 'unknown', reason })
})

test('a sidecar that takes a connection and never answers is left after 30 s', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  t.mock.timers.enable({ apis: ['setTimeout'] })
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    t.mock.timers.tick(30_000)
  })
  const url = new URL(`https://127.0.0.1:${port}/`)
  assert.deepEqual(await httpsGet(url, { accept: '*/*', ca: undefined, insecure: true }), {
    kind: 'failure',
    reason: `no answer in 30 s from 127.0.0.1:${port}`,
  })
})
