// Measures what hostile queues cost the sidecar, as the program of its image with the image's own flags: how long its event
// loop is held at most, and how much memory it takes at most.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { bundle } from '../support/build.ts'
import { ask } from '../support/https.ts'
import { readImageSettings } from '../support/image-settings.ts'
import { type Bench, say } from './bench.ts'
import type { Figure } from './figures.ts'
import { HostileBroker } from './hostile/broker.ts'
import type { Holds } from './hostile/probe.ts'
import type { HostileQueue } from './hostile/queue.ts'
import { HOSTILE_QUEUES } from './hostile/queues.ts'
import { METRIC } from './metric-requests.ts'
import { type ServerProcess, startServer } from './processes.ts'

/** What a person would not notice, and a tenth of what a probe of the kubelet waits. */
const MAX_HOLD_MS = 50

/** The container's limit is 128 MiB. */
const MAX_RESIDENT_MIB = 112

/** Enough to read 10,000 jobspecs, also if they are so large that one reading takes only some hundreds. */
const READINGS = 22
const MOST_SECONDS = 30
const FEW_READINGS = 6

const ASK_MS = 500

/** What the front proxy and a person ask for. */
const ASKED = [METRIC, '/metrics', '/explain?format=json', '/livez']

/**
 * Two figures for each queue: the longest hold of the event loop, and the peak of memory.
 *
 * @param queue only queues with this text in their names
 */
export async function* hostileFigures(
  bench: Bench,
  { queue: only = '' }: { readonly queue?: string | undefined },
): AsyncGenerator<Figure> {
  const program = await quicken(await bundle('sidecar', bench.folder))
  const probe = await bundleProbe(bench)
  const metrics = await writeUserMetrics(bench)
  const { every } = bench.effort.hostile
  for (const [index, queue] of HOSTILE_QUEUES.entries()) {
    if (index % every > 0 || !queue.name.includes(only)) continue
    say(`hostile: ${queue.name} …`)
    yield* await measure(queue, { index, bench, program, probe, metrics })
  }
}

/** Makes the program read as often as it can: otherwise it would need minutes until it knows all jobspecs. */
async function quicken(program: string): Promise<string> {
  const text = await readFile(program, 'utf8')
  const quick = text.replace('costFactor: 20,', 'costFactor: 1,')
  if (quick === text) throw new Error('The pace of the sidecar has another form')
  await writeFile(program, quick)
  return program
}

async function bundleProbe({ folder }: Bench): Promise<string> {
  const outfile = join(folder, 'probe.cjs')
  const entryPoints = [join(import.meta.dirname, 'hostile/probe.ts')]
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'cjs' })
  return outfile
}

/** A metric that looks at every pending job, as docs/how-to/USER-METRICS.md shows them. */
async function writeUserMetrics({ folder }: Bench): Promise<string> {
  const path = join(folder, 'metrics.yaml')
  const expression = 'pending.filter(j, has(j.nodes) && j.nodes > 4).map(j, j.waited).max()'
  const metric = { name: 'longest_wait', help: 'Longest wait', unit: 'seconds', expression }
  await writeFile(path, JSON.stringify({ metrics: [metric] }))
  return path
}

interface Setting {
  readonly index: number
  readonly bench: Bench
  /** Files. */
  readonly program: string
  readonly probe: string
  readonly metrics: string
}

/** The program runs as its image runs it. */
const IMAGE = readImageSettings('sidecar')

async function measure(queue: HostileQueue, setting: Setting): Promise<readonly Figure[]> {
  const { index, bench, program, probe, metrics } = setting
  const file = join(bench.folder, `holds-${index}`)
  const socket = join(bench.folder, `hostile-${index}`)
  const broker = new HostileBroker(queue)
  // The sidecar starts first: what it takes to load its program is no queue's fault.
  const sidecar = await startServer(program, {
    flags: [...IMAGE.flags, '--require', probe],
    env: {
      ...IMAGE.env,
      ...bench.tls,
      CLIENT_CA_FILE: bench.clientCa,
      CLIENT_ALLOWED_NAMES: 'front-proxy-client',
      LOG_LEVEL: 'warn',
      FLUX_URI: `local://${socket}`,
      PROBE_FILE: file,
      METRICS_FILE: metrics,
    },
  })
  const { child } = sidecar
  try {
    await readProbe(sidecar, file)
    await broker.listen(socket)
    const enough = queue.role === 'owner' ? READINGS : FEW_READINGS
    const { readings = enough } = bench.effort.hostile
    const { answered, seconds } = await askMeanwhile(sidecar, broker, { bench, readings })
    const { longest, longestByClock, cpu } = await readProbe(sidecar, file)
    const { jobspecs } = broker
    if (queue.role === 'owner' && jobspecs === 0) throw new Error('The sidecar reads no jobspecs')
    const detail = `${broker.readings} readings, ${jobspecs} jobspecs in ${seconds.toFixed(0)} s`
    const perReading = `${(cpu / broker.readings).toFixed(0)} ms CPU a reading`
    return [
      {
        name: `longest hold: ${queue.name}`,
        value: longest,
        unit: 'ms',
        target: { at: 'most', value: MAX_HOLD_MS },
        detail: `${longestByClock.toFixed(0)} ms by the clock, ${perReading}; ${detail}`,
      },
      {
        name: `peak of memory: ${queue.name}`,
        value: peakMiB(sidecar),
        unit: 'MiB',
        target: { at: 'most', value: MAX_RESIDENT_MIB },
        detail: answered,
      },
    ]
  } catch (error) {
    // A connection ends before the process that ends it.
    await new Promise((resolve) => setTimeout(resolve, ASK_MS))
    if (child.exitCode === null && child.signalCode === null) throw error
    const name = `ended: ${queue.name}`
    return [{ name, value: 1, unit: 'calls', target: { at: 'most', value: 0 }, detail: `${error}` }]
  } finally {
    await sidecar.stop()
    broker.close()
  }
}

/** Asks as an HPA, Prometheus and a person do, until enough was read. */
async function askMeanwhile(
  { port }: ServerProcess,
  broker: HostileBroker,
  { bench: { pair }, readings }: { readonly bench: Bench; readonly readings: number },
): Promise<{ readonly answered: string; readonly seconds: number }> {
  const startedAt = performance.now()
  const statuses = new Set<number>()
  let seconds = 0
  while (broker.readings < readings && seconds < MOST_SECONDS) {
    for (const path of ASKED) {
      const { status } = await ask(port, path, { client: pair })
      if (path === METRIC) statuses.add(status)
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_MS))
    seconds = (performance.now() - startedAt) / 1000
  }
  return { answered: `the metric is answered with ${[...statuses].join(', ')}`, seconds }
}

async function readProbe({ child }: ServerProcess, file: string): Promise<Holds> {
  rmSync(file, { force: true })
  child.kill('SIGUSR2')
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    if (child.signalCode !== null) throw new Error('The sidecar has ended')
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    if (text.endsWith('}')) return JSON.parse(text)
  }
}

/** The most memory that a process has had. */
function peakMiB({ child }: ServerProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}
