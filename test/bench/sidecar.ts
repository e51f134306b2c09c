// Figures of the sidecar, on the bundle of its image: speed against bare koa, memory, start, and calls to the broker.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Instance } from '#simulation/instance.ts'
import { type SimulatedBroker, startBroker } from '../support/broker.ts'
import { bundle } from '../support/build.ts'
import { ask } from '../support/https.ts'
import { readImageSettings } from '../support/image-settings.ts'
import { type Bench, say } from './bench.ts'
import { blockFigure, decodeFigure } from './decode.ts'
import { demandFigure } from './demand.ts'
import { type Figure, median } from './figures.ts'
import { longQueueFigure } from './long-queue.ts'
import { compareRequests, describeRates, freshAnswer, METRIC } from './metric-requests.ts'
import {
  describeAnonymous,
  load,
  residentMiB,
  type ServerProcess,
  startServer,
} from './processes.ts'
import { countCalls, submitFigures } from './submit.ts'

const NODES = 10_000
const JOBS = 10_000

/** The flags and the environment of the image. All servers run with them, so that only the programs differ. */
const IMAGE = readImageSettings('sidecar')

/** All figures of the sidecar. */
export async function* sidecarFigures(bench: Bench): AsyncGenerator<Figure> {
  yield blockFigure()
  const sidecarBundle = await bundle('sidecar', bench.folder)
  const instance = new Instance({ maxSize: NODES, coresPerNode: 8, gpusPerNode: 2 })
  for (let job = 0; job < JOBS; job += 1) instance.submit({ cores: 1 + (job % 13) })
  const broker = await startBroker({ path: join(bench.folder, 'local'), instance, role: 'guest' })
  const env = {
    ...IMAGE.env,
    ...bench.tls,
    CLIENT_CA_FILE: bench.clientCa,
    CLIENT_ALLOWED_NAMES: 'front-proxy-client',
    FLUX_URI: `local://${broker.path}`,
    LOG_LEVEL: 'warn',
  }
  const start = () => startServer(sidecarBundle, { flags: IMAGE.flags, env })
  const startAt = (path: string) =>
    startServer(sidecarBundle, {
      flags: IMAGE.flags,
      env: { ...env, FLUX_URI: `local://${path}` },
    })
  const baseline = (name: keyof Bench['baselines'], more: Record<string, string> = {}) =>
    startServer(bench.baselines[name], {
      flags: IMAGE.flags,
      env: { ...IMAGE.env, ...bench.tls, ...more },
    })
  try {
    say('decode …')
    yield decodeFigure(bench)
    say('start …')
    yield await startFigure(bench, start, () => baseline('empty-koa'))
    yield* serveFigures(bench, start, baseline)
    yield await idleFigure(bench, startAt)
    yield await callsFigure(bench, start, broker)
    yield await demandFigure(bench)
    yield* submitFigures(bench, startAt)
    yield await longQueueFigure(bench, startAt)
  } finally {
    await broker.close()
  }
}

async function startFigure(
  { effort }: Bench,
  sidecar: () => Promise<ServerProcess>,
  empty: () => Promise<ServerProcess>,
): Promise<Figure> {
  const times = { sidecar: [] as number[], empty: [] as number[] }
  const ratios: number[] = []
  for (let round = 0; round < effort.starts; round += 1) {
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
    target: { at: 'most', value: 1.5 },
    detail: `${Math.round(median(times.sidecar))} ms against ${Math.round(median(times.empty))} ms`,
  }
}

/** A sidecar of a small MiniCluster that nobody asks. */
async function idleFigure(
  bench: Bench,
  startAt: (path: string) => Promise<ServerProcess>,
): Promise<Figure> {
  const path = join(bench.folder, 'small')
  const instance = new Instance({ maxSize: 16, coresPerNode: 8 })
  const broker = await startBroker({ path, instance, role: 'guest' })
  const sidecar = await startAt(path)
  await freshAnswer(sidecar.port, bench)
  say('idle …')
  await new Promise((resolve) => setTimeout(resolve, bench.effort.idleSeconds * 1000))
  const pid = sidecar.child.pid ?? 0
  const [value, detail] = [residentMiB(pid), describeAnonymous(pid)]
  await sidecar.stop()
  await broker.close()
  return { name: 'RSS idle', value, unit: 'MiB', target: { at: 'most', value: 72 }, detail }
}

type Start = () => Promise<ServerProcess>
type StartBaseline = (
  name: 'bare-koa' | 'bare-https',
  more: Record<string, string>,
) => Promise<ServerProcess>

async function* serveFigures(
  bench: Bench,
  start: Start,
  baseline: StartBaseline,
): AsyncGenerator<Figure> {
  const sidecar = await start()
  const bodyFile = join(bench.folder, 'body.json')
  await writeFile(bodyFile, await freshAnswer(sidecar.port, bench))
  const koa = await baseline('bare-koa', { BODY_FILE: bodyFile })
  const https = await baseline('bare-https', { BODY_FILE: bodyFile })
  say('requests/s and latency …')
  const sixteen = await compareRequests(sidecar, koa, { connections: 16, bench })
  yield {
    name: 'requests/s, 16 connections, against bare koa',
    value: sixteen.ratio('perSecond'),
    unit: '×',
    target: { at: 'least', value: 0.9 },
    detail: describeRates(sixteen),
  }
  yield {
    name: 'p99, 16 connections, against bare koa',
    value: sixteen.ratio('p99'),
    unit: '×',
    target: { at: 'most', value: 1.2 },
    detail: '',
  }
  const one = await compareRequests(sidecar, koa, { connections: 1, bench })
  yield {
    name: 'p99, 1 connection, against bare koa',
    value: one.ratio('p99'),
    unit: '×',
    target: { at: 'most', value: 1.2 },
    detail: describeRates(one),
  }
  const bare = await compareRequests(sidecar, https, { connections: 16, bench })
  yield {
    name: 'requests/s, 16 connections, against bare node:https',
    value: bare.ratio('perSecond'),
    unit: '×',
    target: undefined,
    detail: describeRates(bare),
  }
  await koa.stop()
  await https.stop()
  say('memory …')
  const { requests } = bench.effort
  await load({
    path: METRIC,
    connections: 16,
    requests,
    port: sidecar.port,
    ...bench.client,
  })
  const pid = sidecar.child.pid ?? 0
  const [memory, anonymous] = [residentMiB(pid), describeAnonymous(pid)]
  await sidecar.stop()
  yield {
    name: `RSS after ${requests} requests, ${NODES} nodes`,
    value: memory,
    unit: 'MiB',
    target: { at: 'most', value: 80 },
    detail: `${JOBS} jobs; ${anonymous}`,
  }
}

/** Counts calls to the broker in a window that starts with a refresh, so that two windows hold equally many refreshes. */
async function callsInWindow(broker: SimulatedBroker, seconds: number): Promise<number> {
  const before = countCalls(broker)
  while (countCalls(broker) === before) await new Promise((resolve) => setTimeout(resolve, 5))
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  return countCalls(broker) - before
}

async function callsFigure(bench: Bench, start: Start, broker: SimulatedBroker): Promise<Figure> {
  say('broker calls …')
  const { callsSeconds } = bench.effort
  const sidecar = await start()
  await freshAnswer(sidecar.port, bench)
  const idle = await callsInWindow(broker, callsSeconds)
  const timer = setInterval(
    () => void ask(sidecar.port, METRIC, { client: bench.pair }).catch(() => {}),
    10,
  )
  const busy = await callsInWindow(broker, callsSeconds)
  clearInterval(timer)
  await sidecar.stop()
  return {
    name: `more broker calls in ${callsSeconds} s with 100 requests/s than with none`,
    value: busy - idle,
    unit: 'calls',
    target: { at: 'most', value: 0 },
    detail: `${busy} against ${idle}`,
  }
}
