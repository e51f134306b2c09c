// `npm start`: the whole loop on this machine. A simulated MiniCluster (or a real broker, with FLUX_URI), the real sidecar
// over HTTPS, and an HPA's arithmetic that reads the metric through the API and resizes the MiniCluster.
import { parseArgs } from 'node:util'
import { createLogger } from '#serving/log.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { readConfig } from '../../sidecar/config.ts'
import { startSidecar } from '../../sidecar/sidecar.ts'
import { type DemoCluster, startDemoCluster } from './cluster.ts'
import { type Decision, Hpa } from './hpa.ts'
import { type Answer, metricPath, readMetric } from './metrics.ts'

const METRIC = 'job_active_count'
const SYNC_SECONDS = 3
const STABILIZATION_SECONDS = 12
const SCALE_UP_PERIOD_SECONDS = 6

const USAGE = `Usage: npm start [-- --seconds N]

  --seconds N   end after N seconds (default: on Ctrl-C)
  FLUX_URI      read this real broker instead of a simulated one; nothing is resized then
  LISTEN_PORT   where the sidecar serves HTTPS (default 8443)
`

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

function print(line = ''): void {
  process.stdout.write(`${line}\n`)
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

function explain(port: number, cluster: DemoCluster | undefined): void {
  const url = `https://localhost:${port}`
  print('flux-metrics: autoscaling a Flux MiniCluster on what its scheduler knows')
  print()
  if (cluster === undefined)
    print(`  broker     ${process.env.FLUX_URI} (yours; nothing is resized)`)
  else
    print(
      `  broker     simulated, 2 of ${cluster.maxSize} nodes up; whole-node jobs arrive in waves`,
    )
  print(`  sidecar    ${url} (the real one)`)
  print(`  HPA        ${METRIC}, AverageValue 1: a node for each job that waits or runs; the real`)
  print(
    `             arithmetic, but a sync every ${SYNC_SECONDS} s and ${STABILIZATION_SECONDS} s of stabilization (15 and 300 by default)`,
  )
  print()
  print('  Try, in another terminal:')
  print(`    curl -k ${url}${metricPath('node_free_count')}`)
  print(`    curl -k ${url}/apis/custom.metrics.k8s.io/v1beta2`)
  print(`    curl -k ${url}/metrics`)
  print(`    curl -k ${url}/readyz`)
  print()
  print(
    '  An Indexed Job loses its highest nodes first, busy or not: "killed" counts jobs lost that way.',
  )
  print()
  print(HEADINGS)
}

const HEADINGS = '  time  size   up  free  running  pending  metric  HPA'

function cell(answer: Answer | number, width: number): string {
  const value = typeof answer === 'number' ? answer : answer.kind === 'value' ? answer.value : '–'
  return String(value).padStart(width)
}

/** One line of the table. */
async function report(
  port: number,
  context: {
    readonly seconds: number
    readonly cluster: DemoCluster | undefined
    readonly decision: Decision | undefined
  },
): Promise<void> {
  const { seconds, cluster, decision } = context
  const [up, free, running, pending, metric] = await Promise.all(
    [
      'node_up_count',
      'node_free_count',
      'job_queue_state_run_count',
      'job_pending_count',
      METRIC,
    ].map((name) => readMetric(port, name)),
  )
  if (!up || !free || !running || !pending || !metric) return
  const why = metric.kind === 'error' ? metric.message : ''
  const killed = cluster === undefined || cluster.killed === 0 ? '' : `  (killed ${cluster.killed})`
  print(
    [
      `${seconds}s`.padStart(6),
      cell(cluster?.size ?? up, 4),
      cell(up, 3),
      cell(free, 4),
      cell(running, 7),
      cell(pending, 7),
      cell(metric, 6),
      `${decision?.reason ?? why}${killed}`,
    ].join('  '),
  )
}

/** One sync of the HPA. */
async function sync(port: number, hpa: Hpa, replicas: number): Promise<Decision> {
  const answer = await readMetric(port, METRIC)
  return hpa.decide(replicas, answer.kind === 'value' ? answer.value : undefined, performance.now())
}

async function main(): Promise<void> {
  const { seconds } = parseArguments()
  const cluster = process.env.FLUX_URI ? undefined : await startDemoCluster()
  const result = readConfig({
    LISTEN_PORT: process.env.LISTEN_PORT,
    FLUX_URI: cluster?.uri ?? process.env.FLUX_URI,
  })
  if (result.kind === 'problems') fail(result.problems.join('\n'))
  const sidecar = await startSidecar(result.config, {
    log: createLogger('silent'),
    version: packageJson.version,
  }).catch(async (error: unknown) => {
    await cluster?.close()
    return fail(error instanceof Error ? error.message : String(error))
  })
  const stopped = Promise.withResolvers<void>()
  process.once('SIGINT', () => stopped.resolve())
  process.once('SIGTERM', () => stopped.resolve())

  explain(sidecar.port, cluster)
  const hpa = new Hpa({
    minReplicas: 2,
    maxReplicas: cluster?.maxSize ?? 1024,
    averageValue: 1,
    tolerance: 0.1,
    stabilizationMs: STABILIZATION_SECONDS * 1000,
    scaleUpPeriodMs: SCALE_UP_PERIOD_SECONDS * 1000,
  })
  let elapsed = 0
  let replicas = cluster?.size
  const step = async () => {
    elapsed += 1
    let decision: Decision | undefined
    if (elapsed % SYNC_SECONDS === 0) {
      const up = await readMetric(sidecar.port, 'node_up_count')
      replicas = cluster?.size ?? (up.kind === 'value' ? up.value : undefined)
      if (replicas !== undefined) {
        decision = await sync(sidecar.port, hpa, replicas)
        cluster?.resize(decision.replicas)
      }
    }
    await report(sidecar.port, { seconds: elapsed, cluster, decision })
    if (elapsed >= seconds) stopped.resolve()
  }
  const timer = setInterval(() => void step().catch(stopped.reject), 1000)
  await stopped.promise
  clearInterval(timer)
  await sidecar.close({ lingerMs: 0 })
  await cluster?.close()
  print('stopped')
}

void main().catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)))
