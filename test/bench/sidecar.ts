// Figures of the sidecar, on the bundle that its image has: against bare koa, memory, start, and calls to the broker.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Instance } from '#simulation/instance.ts'
import { type SimulatedBroker, startBroker } from '../support/broker.ts'
import { bundle } from '../support/build.ts'
import { ask } from '../support/https.ts'
import { type Bench, say } from './common.ts'
import { blockFigure, decodeFigure } from './decode.ts'
import { busyInstance, demandFigure } from './demand.ts'
import { type Figure, median } from './figures.ts'
import { load, residentMiB, type ServerProcess, startServer } from './processes.ts'

const METRIC =
  '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/miniclusters.flux-framework.org/flux-sample/node_up_count'

const NODES = 10_000
const JOBS = 10_000
const ROUNDS = 7
const SECONDS = 2
const STARTS = 9
const MEMORY_REQUESTS = 100_000
const CALLS_SECONDS = 21
const LONG_QUEUE = 100_000
const SUBMIT_INTERVAL_MS = 250

/** The flags of the image (Dockerfile.sidecar): the same for all, so that it is programs that are compared. */
const NODE_FLAGS = [
  '--max-semi-space-size=2',
  '--max-old-space-size=64',
  '--no-sparkplug',
  '--no-maglev',
]

/** All of them. */
export async function sidecarFigures(bench: Bench): Promise<readonly Figure[]> {
  const block = blockFigure()
  const sidecarBundle = await bundle('sidecar', bench.folder)
  const instance = new Instance({ maxSize: NODES, coresPerNode: 8, gpusPerNode: 2 })
  for (let job = 0; job < JOBS; job += 1) instance.submit({ cores: 1 + (job % 13) })
  const broker = await startBroker({ path: join(bench.folder, 'local'), instance, role: 'guest' })
  const env = {
    ...bench.tls,
    CLIENT_CA_FILE: bench.clientCa,
    CLIENT_ALLOWED_NAMES: 'front-proxy-client',
    FLUX_URI: `local://${broker.path}`,
    LOG_LEVEL: 'warn',
  }
  const start = () => startServer(sidecarBundle, { flags: NODE_FLAGS, env })
  const baseline = (name: keyof Bench['baselines'], more: Record<string, string> = {}) =>
    startServer(bench.baselines[name], { flags: NODE_FLAGS, env: { ...bench.tls, ...more } })
  try {
    say('decode …')
    const decode = decodeFigure()
    say('start …')
    const started = await startFigure(start, () => baseline('empty-koa'))
    const served = await serveFigures(bench, start, baseline)
    const calls = await callsFigure(bench, start, broker)
    const demand = await demandFigure(bench)
    const queue = await longQueueFigure(bench, (path) =>
      startServer(sidecarBundle, {
        flags: NODE_FLAGS,
        env: { ...env, FLUX_URI: `local://${path}` },
      }),
    )
    return [block, decode, started, ...served, calls, demand, queue]
  } finally {
    await broker.close()
  }
}

/** Loads two servers in turn, so that the machine's moods hit both, and answers the medians of their ratios. */
async function compare(a: ServerProcess, b: ServerProcess, connections: number, client: object) {
  const ratios = { perSecond: [] as number[], p99: [] as number[] }
  const seen = { a: [] as number[], b: [] as number[] }
  for (let round = 0; round < ROUNDS; round += 1) {
    const common = { path: METRIC, connections, seconds: SECONDS, ...client }
    const inOrder = round % 2 === 0
    const first = await load({ ...common, port: (inOrder ? a : b).port })
    const second = await load({ ...common, port: (inOrder ? b : a).port })
    const [ofA, ofB] = inOrder ? [first, second] : [second, first]
    ratios.perSecond.push(ofA.perSecond / ofB.perSecond)
    ratios.p99.push(ofA.p99 / ofB.p99)
    seen.a.push(ofA.perSecond)
    seen.b.push(ofB.perSecond)
  }
  return {
    perSecond: median(ratios.perSecond),
    p99: median(ratios.p99),
    detail: `${Math.round(median(seen.a))} against ${Math.round(median(seen.b))} requests/s`,
  }
}

/**
 * The same requests to two sidecars, one of which reads a queue of 100,000 pending jobs. Jobs are submitted to both all the
 * time, so that both read as often as they may.
 */
async function longQueueFigure(
  bench: Bench,
  start: (path: string) => Promise<ServerProcess>,
): Promise<Figure> {
  say('a long queue …')
  await using short = await startQueue(bench, start, 100)
  await using long = await startQueue(bench, start, LONG_QUEUE)
  await freshAnswer(short.sidecar.port, bench)
  await freshAnswer(long.sidecar.port, bench)
  const { p99, detail } = await compare(long.sidecar, short.sidecar, 16, bench.client)
  return {
    name: 'p99, 16 connections, 100,000 pending jobs against 100',
    value: p99,
    unit: '×',
    target: { at: 'most', value: 1.1 },
    detail,
  }
}

async function startQueue(
  bench: Bench,
  start: (path: string) => Promise<ServerProcess>,
  pending: number,
) {
  const instance = busyInstance(pending)
  const path = join(bench.folder, `queue-${pending}`)
  const broker = await startBroker({ path, instance, role: 'guest' })
  const sidecar = await start(path)
  const timer = setInterval(() => instance.submit({ cores: 4 }), SUBMIT_INTERVAL_MS)
  return {
    sidecar,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await sidecar.stop()
      await broker.close()
    },
  }
}

async function startFigure(
  sidecar: () => Promise<ServerProcess>,
  empty: () => Promise<ServerProcess>,
): Promise<Figure> {
  const times = { sidecar: [] as number[], empty: [] as number[] }
  const ratios: number[] = []
  for (let round = 0; round < STARTS; round += 1) {
    const ours = await sidecar()
    await ours.stop()
    const least = await empty()
    await least.stop()
    times.sidecar.push(ours.startMs)
    times.empty.push(least.startMs)
    ratios.push(ours.startMs / least.startMs)
  }
  return {
    name: 'start to first answer, against an empty koa app',
    value: median(ratios),
    unit: '×',
    target: { at: 'most', value: 2 },
    detail: `${Math.round(median(times.sidecar))} ms against ${Math.round(median(times.empty))} ms`,
  }
}

async function freshAnswer(port: number, { pair }: Bench): Promise<string> {
  for (;;) {
    const { status, text } = await ask(port, METRIC, { client: pair })
    if (status === 200) return text
  }
}

type Start = () => Promise<ServerProcess>
type StartBaseline = (
  name: 'bare-koa' | 'bare-https',
  more: Record<string, string>,
) => Promise<ServerProcess>

async function serveFigures(
  bench: Bench,
  start: Start,
  baseline: StartBaseline,
): Promise<readonly Figure[]> {
  const sidecar = await start()
  const bodyFile = join(bench.folder, 'body.json')
  await writeFile(bodyFile, await freshAnswer(sidecar.port, bench))
  const koa = await baseline('bare-koa', { BODY_FILE: bodyFile })
  const https = await baseline('bare-https', { BODY_FILE: bodyFile })
  say('requests/s and latency …')
  const sixteen = await compare(sidecar, koa, 16, bench.client)
  const one = await compare(sidecar, koa, 1, bench.client)
  const bare = await compare(sidecar, https, 16, bench.client)
  await koa.stop()
  await https.stop()
  say('memory …')
  await load({
    path: METRIC,
    connections: 16,
    requests: MEMORY_REQUESTS,
    port: sidecar.port,
    ...bench.client,
  })
  const memory = residentMiB(sidecar.child.pid ?? 0)
  await sidecar.stop()
  return [
    {
      name: 'requests/s, 16 connections, against bare koa',
      value: sixteen.perSecond,
      unit: '×',
      target: { at: 'least', value: 0.9 },
      detail: sixteen.detail,
    },
    {
      name: 'requests/s, 16 connections, against bare node:https',
      value: bare.perSecond,
      unit: '×',
      target: undefined,
      detail: bare.detail,
    },
    {
      name: 'p99, 16 connections, against bare koa',
      value: sixteen.p99,
      unit: '×',
      target: { at: 'most', value: 1.2 },
      detail: '',
    },
    {
      name: 'p99, 1 connection, against bare koa',
      value: one.p99,
      unit: '×',
      target: { at: 'most', value: 1.2 },
      detail: one.detail,
    },
    {
      name: `RSS after ${MEMORY_REQUESTS} requests, ${NODES} nodes`,
      value: memory,
      unit: 'MiB',
      target: { at: 'most', value: 96 },
      detail: `${JOBS} jobs`,
    },
  ]
}

/** Calls to the broker within a time, counted from a refresh on, so that the two windows hold as many refreshes. */
async function countCalls(broker: SimulatedBroker): Promise<number> {
  const total = () => [...broker.calls.values()].reduce((sum, count) => sum + count, 0)
  const before = total()
  while (total() === before) await new Promise((resolve) => setTimeout(resolve, 5))
  const start = total()
  await new Promise((resolve) => setTimeout(resolve, CALLS_SECONDS * 1000))
  return total() - start
}

async function callsFigure(bench: Bench, start: Start, broker: SimulatedBroker): Promise<Figure> {
  say('broker calls …')
  const sidecar = await start()
  await freshAnswer(sidecar.port, bench)
  const idle = await countCalls(broker)
  const timer = setInterval(
    () => void ask(sidecar.port, METRIC, { client: bench.pair }).catch(() => {}),
    10,
  )
  const busy = await countCalls(broker)
  clearInterval(timer)
  await sidecar.stop()
  return {
    name: `more broker calls in ${CALLS_SECONDS} s with 100 requests/s than with none`,
    value: busy - idle,
    unit: 'calls',
    target: { at: 'most', value: 0 },
    detail: `${busy} against ${idle}`,
  }
}
