// `npm start`: the whole loop on this machine. A simulated MiniCluster (or a real broker, with FLUX_URI), the real sidecar
// over HTTPS, and an HPA's algorithm that reads the metric through the API and resizes the MiniCluster.
import { setInterval } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createLogger } from '#serving/log.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { readConfig } from '../../sidecar/config.ts'
import { type Sidecar, startSidecar } from '../../sidecar/sidecar.ts'
import { Autoscaler, DEMO_TIMES, demoHpaSpec } from './autoscaler.ts'
import { type DemoCluster, startDemoCluster } from './cluster.ts'
import { readMetric } from './metrics.ts'
import { servePage } from './page.ts'
import { introduce, report } from './screen.ts'

const USAGE = `Usage: npm start [-- --seconds N]

  --seconds N   end after N seconds (default: on Ctrl-C)
  FLUX_URI      read this real broker instead of a simulated one, and resize nothing
  LISTEN_PORT   where the sidecar serves HTTPS (default 8443)
`

/** The HPA's largest size for a real broker, whose own limit is not known. */
const ANY_SIZE = 1024

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

function print(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

function parseArguments(): { readonly seconds: number } {
  const options = { seconds: { type: 'string' }, help: { type: 'boolean' } } as const
  try {
    const { values } = parseArgs({ options })
    if (values.help) {
      process.stdout.write(USAGE)
      process.exit(0)
    }
    const seconds = values.seconds === undefined ? Number.POSITIVE_INFINITY : Number(values.seconds)
    if (seconds > 0) return { seconds }
    return fail(`--seconds: expected a number above 0, got "${values.seconds}"\n\n${USAGE}`)
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}

async function start(cluster: DemoCluster | undefined): Promise<Sidecar> {
  const { FLUX_URI, LISTEN_PORT, IDLE_GRACE_SECONDS } = process.env
  const result = readConfig({
    LISTEN_PORT,
    FLUX_URI: cluster?.uri ?? FLUX_URI,
    IDLE_GRACE_SECONDS: IDLE_GRACE_SECONDS ?? String(DEMO_TIMES.idleGraceSeconds),
  })
  if (result.kind === 'problems') fail(result.problems.join('\n'))
  try {
    const log = createLogger('silent')
    return await startSidecar(result.config, { log, version: packageJson.version })
  } catch (error) {
    await cluster?.close()
    return fail(error instanceof Error ? error.message : String(error))
  }
}

/** The present size; `undefined` while it cannot be read from the user's own broker. */
async function sizeOf(port: number, cluster: DemoCluster | undefined): Promise<number | undefined> {
  if (cluster !== undefined) return cluster.size
  const up = await readMetric(port, 'node_up_count')
  return up.kind === 'value' ? up.value : undefined
}

/** Does one step after another, the first after a second, until it is stopped. */
async function everySecond(
  step: (elapsed: number) => Promise<void>,
  { seconds, signal }: { readonly seconds: number; readonly signal: AbortSignal },
): Promise<void> {
  let elapsed = 0
  try {
    for await (const _ of setInterval(1000, undefined, { signal })) {
      elapsed += 1
      await step(elapsed)
      if (elapsed >= seconds) return
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function main(): Promise<void> {
  const { seconds } = parseArguments()
  const cluster = process.env.FLUX_URI ? undefined : await startDemoCluster()
  const sidecar = await start(cluster)
  const { port } = sidecar
  const stopped = new AbortController()
  process.once('SIGINT', () => stopped.abort())
  process.once('SIGTERM', () => stopped.abort())
  // A reader such as `| head` may close the pipe.
  process.stdout.on('error', () => stopped.abort())

  const sizes = cluster && ([cluster.size, cluster.maxSize] as const)
  const page = await servePage({ port, sizes, signal: stopped.signal })
  print(introduce({ port, page: page.url, cluster }))
  const bounds = sizes ?? ([1, ANY_SIZE] as const)
  const autoscaler = new Autoscaler(port, demoHpaSpec(...bounds))
  const step = async (elapsed: number) => {
    const size = elapsed % DEMO_TIMES.syncSeconds === 0 ? await sizeOf(port, cluster) : undefined
    const sync = size === undefined ? undefined : await autoscaler.sync(size)
    if (sync !== undefined) cluster?.resize(sync.decision.replicas)
    const { columns } = process.stdout
    print(await report(port, { seconds: elapsed, cluster, sync, columns }))
  }
  await everySecond(step, { seconds, signal: stopped.signal })
  await page.close()
  await sidecar.close({ lingerMs: 0 })
  await cluster?.close()
  print(['stopped'])
}

void main().catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)))
