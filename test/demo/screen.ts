// The text that the demo prints: the first screen, then one line per second.
import { DEMO_TIMES, METRIC, type Sync } from './autoscaler.ts'
import type { DemoCluster } from './cluster.ts'
import { type Answer, metricPath, readMetric } from './metrics.ts'

/** The first screen. */
export function introduce(port: number, cluster: DemoCluster | undefined): readonly string[] {
  const url = `https://localhost:${port}`
  const { syncSeconds, stabilizationSeconds, idleGraceSeconds } = DEMO_TIMES
  const broker =
    cluster === undefined
      ? `${process.env.FLUX_URI} (yours; nothing is resized)`
      : `simulated, ${cluster.size} of ${cluster.maxSize} nodes up; jobs of 1 or 4 whole nodes arrive in waves`
  return [
    'flux-metrics: autoscaling a Flux MiniCluster on what its scheduler knows',
    '',
    `  broker     ${broker}`,
    `  sidecar    ${url} (the real one)`,
    `  HPA        the recommended one: ${METRIC}, AverageValue 1, tolerance 0;`,
    `             the real algorithm, with shorter times: a sync every ${syncSeconds} s (else 15 s),`,
    `             stabilization ${stabilizationSeconds} s (300 s), a node idle after ${idleGraceSeconds} s (60 s: IDLE_GRACE_SECONDS)`,
    '',
    '  Try, in another terminal:',
    `    curl -k ${url}/explain -H 'Accept: text/plain'`,
    `    curl -k ${url}${metricPath(METRIC)}`,
    `    curl -k ${url}/metrics`,
    `    curl -k ${url}/readyz`,
    '',
    '  An Indexed Job loses its highest nodes first, busy or not. If jobs are lost that way,',
    '  "killed" counts them. When the size changes, the next line says why.',
    '',
    '  time  size   up  free  running  pending  desired  HPA',
  ]
}

const COLUMNS = [
  { metric: 'node_up_count', width: 3 },
  { metric: 'node_free_count', width: 4 },
  { metric: 'job_queue_state_run_count', width: 7 },
  { metric: 'job_pending_count', width: 7 },
  { metric: METRIC, width: 7 },
] as const

export interface Moment {
  readonly seconds: number
  /** `undefined` with the user's own broker. */
  readonly cluster: DemoCluster | undefined
  /** `undefined` between syncs. */
  readonly sync: Sync | undefined
}

/** A line of the table. If the size changes, a second line says why. */
export async function report(
  port: number,
  { seconds, cluster, sync }: Moment,
): Promise<readonly string[]> {
  const answers = await Promise.all(COLUMNS.map(({ metric }) => readMetric(port, metric)))
  const cells = answers.map((answer, index) => cell(answer).padStart(COLUMNS[index]?.width ?? 0))
  const size = String(cluster?.size ?? '–').padStart(4)
  const error = answers.find((answer) => answer.kind === 'error')
  const action = sync?.decision.reason ?? (error?.kind === 'error' ? error.message : '')
  const killed = cluster === undefined || cluster.killed === 0 ? '' : `  (killed ${cluster.killed})`
  const line = [`${seconds}s`.padStart(6), size, ...cells, `${action}${killed}`].join('  ')
  return sync?.why === undefined ? [line.trimEnd()] : [line, `${' '.repeat(8)}${sync.why}`]
}

function cell(answer: Answer): string {
  return answer.kind === 'value' ? String(answer.value) : '–'
}
