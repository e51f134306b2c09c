// The server of the dashboard, as it is open for days: pages about MiniClusters that were never asked for before, tabs that close
// meanwhile, and strangers, under a clock that moves on by two seconds with each. Arguments: a folder with a kubectl, the number of
// readings.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import { connect } from 'node:net'
import { ClusterData } from '../../webhook/cli/dashboard/cluster-data.ts'
import { startDashboard } from '../../webhook/cli/dashboard/loopback-server.ts'
import { createMemoryIo } from '../webhook/cli/memory-io.ts'
import { measure } from './measure.ts'
import { report, SAMPLES } from './soaked.ts'

const STEP_MS = 2_000

const [folder = '', count = ''] = process.argv.slice(2)

let skewMs = 0
const realNow = performance.now.bind(performance)
performance.now = () => realNow() + skewMs

const { io } = createMemoryIo({ env: { PATH: folder } })
const stop = new AbortController()
const data = new ClusterData({
  io,
  kubectl: {},
  namespace: 'hpc',
  name: undefined,
  signal: stop.signal,
})
const files = new Map([['index.html', { type: 'text/html', text: '<!doctype html>' }]])
const dashboard = await startDashboard({ data, files, port: 0 })
const { port, pathname } = new URL(dashboard.url)

async function ask(path: string): Promise<{ readonly code: number; readonly body: string }> {
  const [response] = await once(get({ host: '127.0.0.1', port, path, agent: false }), 'response')
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return { code: response.statusCode, body }
}

/** A tab that is closed before its answer has come. */
async function leave(path: string): Promise<void> {
  const request = get({ host: '127.0.0.1', port, path, agent: false })
  const gone = new Promise((resolve) => request.once('close', resolve))
  request.on('error', () => {})
  request.once('finish', () => request.destroy())
  await gone
}

/** Somebody without the token, and somebody who sends nothing. */
async function knock(number: number): Promise<void> {
  assert.equal((await ask(`/guess-${number}/data/list`)).code, 404)
  const silent = connect(Number(port), '127.0.0.1')
  silent.on('error', () => {})
  await once(silent, 'connect')
  silent.destroy()
}

async function read(number: number): Promise<void> {
  const subject = `namespace=ns-${number % 20}&name=m-${number}`
  const state = await ask(`${pathname}data/state?${subject}`)
  // Of three of ten kubectl says that they are not there.
  assert.equal(JSON.parse(state.body).kind, /[048]$/.test(String(number)) ? 'unknown' : 'known')
  await ask(`${pathname}data/hpa?${subject}&metric=node_desired_count`)
  if (number % 2 === 0) await ask(`${pathname}data/list`)
  if (number % 3 === 0) await leave(`${pathname}data/state?${subject}-left`)
  await knock(number)
  skewMs += STEP_MS
}

const perSample = Math.ceil(Number(count) / SAMPLES)
for (let number = 1; number <= perSample * SAMPLES; number += 1) {
  await read(number)
  if (number % perSample === 0) report({ sample: measure(number, 0) })
}
stop.abort()
await dashboard.close()
process.disconnect?.()
