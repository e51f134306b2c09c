// `npm run bench`: ratios measured in one run, on the bundle that the image has. `--json` for machines.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { startBroker } from '../support/broker.ts'
import { bundle } from '../support/build.ts'
import { createAuthority } from '../support/certificates.ts'
import { ask } from '../support/https.ts'
import { Instance } from '../support/instance.ts'
import { blockFigure, decodeFigure } from './decode.ts'
import { type Figure, formatFigures, median, reached } from './figures.ts'
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

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const say = (text: string) => process.stderr.write(`${text}\n`)

const folder = await mkdtemp(join(tmpdir(), 'flux-bench-'))

async function writeFiles() {
  const frontProxy = await createAuthority('front-proxy-ca')
  const serving = await (await createAuthority('serving')).issue({
    commonName: 'server',
    dns: ['localhost'],
  })
  const client = await frontProxy.issue({
    commonName: 'front-proxy-client',
    extendedKeyUsage: ['clientAuth'],
  })
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  return {
    tls: {
      TLS_CERT_FILE: await write('tls.crt', serving.cert),
      TLS_KEY_FILE: await write('tls.key', serving.key),
    },
    clientCa: await write('front-proxy-ca.crt', frontProxy.cert),
    client: {
      cert: await write('client.crt', client.cert),
      key: await write('client.key', client.key),
    },
    pair: client,
  }
}

async function bundleBaselines(): Promise<Record<'koa' | 'https' | 'empty', string>> {
  const entries = { koa: 'bare-koa.ts', https: 'bare-https.ts', empty: 'empty-koa.ts' }
  await build({
    entryPoints: Object.values(entries).map((name) => join(import.meta.dirname, name)),
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    logLevel: 'warning',
  })
  const file = (name: string) => join(folder, name.replace('.ts', '.cjs'))
  return { koa: file(entries.koa), https: file(entries.https), empty: file(entries.empty) }
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

const block = blockFigure()
const files = await writeFiles()
const baselines = await bundleBaselines()
const [sidecarBundle = ''] = await bundle(folder)
const instance = new Instance({ maxSize: NODES, coresPerNode: 8, gpusPerNode: 2 })
for (let job = 0; job < JOBS; job += 1) instance.submit({ cores: 1 + (job % 13) })
const broker = await startBroker({ path: join(folder, 'local'), instance, role: 'guest' })
const sidecarEnv = {
  ...files.tls,
  CLIENT_CA_FILE: files.clientCa,
  CLIENT_ALLOWED_NAMES: 'front-proxy-client',
  FLUX_URI: `local://${broker.path}`,
  LOG_LEVEL: 'warn',
}
const startSidecar = () => startServer(sidecarBundle, sidecarEnv)

async function freshAnswer(port: number): Promise<string> {
  for (;;) {
    const { status, text } = await ask(port, METRIC, { client: files.pair })
    if (status === 200) return text
  }
}

async function serveFigures(): Promise<Figure[]> {
  const sidecar = await startSidecar()
  const bodyFile = join(folder, 'body.json')
  await writeFile(bodyFile, await freshAnswer(sidecar.port))
  const koa = await startServer(baselines.koa, { ...files.tls, BODY_FILE: bodyFile })
  const https = await startServer(baselines.https, { ...files.tls, BODY_FILE: bodyFile })
  say('requests/s and latency …')
  const sixteen = await compare(sidecar, koa, 16, files.client)
  const one = await compare(sidecar, koa, 1, files.client)
  const bare = await compare(sidecar, https, 16, files.client)
  await koa.stop()
  await https.stop()
  say('memory …')
  await load({
    path: METRIC,
    connections: 16,
    requests: MEMORY_REQUESTS,
    port: sidecar.port,
    ...files.client,
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
async function countCalls(): Promise<number> {
  const total = () => [...broker.calls.values()].reduce((sum, count) => sum + count, 0)
  const before = total()
  while (total() === before) await new Promise((resolve) => setTimeout(resolve, 5))
  const start = total()
  await new Promise((resolve) => setTimeout(resolve, CALLS_SECONDS * 1000))
  return total() - start
}

async function callsFigure(): Promise<Figure> {
  say('broker calls …')
  const sidecar = await startSidecar()
  await freshAnswer(sidecar.port)
  const idle = await countCalls()
  const timer = setInterval(
    () => void ask(sidecar.port, METRIC, { client: files.pair }).catch(() => {}),
    10,
  )
  const busy = await countCalls()
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

try {
  say('decode …')
  const figures: Figure[] = [block, decodeFigure()]
  say('start …')
  figures.push(await startFigure(startSidecar, () => startServer(baselines.empty, files.tls)))
  figures.push(...(await serveFigures()))
  figures.push(await callsFigure())
  process.stdout.write(
    values.json ? `${JSON.stringify(figures, undefined, 2)}\n` : `${formatFigures(figures)}\n`,
  )
  process.exitCode = figures.every(reached) ? 0 : 1
} finally {
  await broker.close()
  await rm(folder, { recursive: true, force: true })
}
