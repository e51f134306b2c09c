// The text that the demo prints: the first screen, then one line per second.
import { countIds, parseIdset } from '#flux/sets/idset.ts'
import type { ReadExplanation } from '../../webhook/cli/input/cluster/explanation.ts'
import { INDENT, row } from '../../webhook/cli/output/rows.ts'
import { DEMO_TIMES, METRIC, type Sync } from './autoscaler.ts'
import type { DemoCluster } from './cluster.ts'
import { metricPath, readNow } from './metrics.ts'

export interface Introduced {
  /** Of the sidecar. */
  readonly port: number
  /** The address of the page. */
  readonly page: string
  /** `undefined` with the user's own broker. */
  readonly cluster: DemoCluster | undefined
}

/** The first screen. */
export function introduce({ port, page, cluster }: Introduced): readonly string[] {
  const url = `https://localhost:${port}`
  const { syncSeconds, stabilizationSeconds, idleGraceSeconds } = DEMO_TIMES
  const broker =
    cluster === undefined
      ? `${process.env.FLUX_URI} (yours; nothing is resized)`
      : `simulated, ${cluster.size} of ${cluster.maxSize} nodes up; jobs of 1 or 4 nodes come in waves`
  return [
    'flux-metrics: autoscaling a Flux MiniCluster on what its scheduler knows',
    '',
    `  broker     ${broker}`,
    `  sidecar    ${url} (the real one)`,
    `  page       ${page} (open it)`,
    `  HPA        the recommended one: ${METRIC}, AverageValue 1,`,
    '             tolerance 0; the real algorithm, with shorter times: a sync every',
    `             ${syncSeconds} s (else 15 s), stabilization ${stabilizationSeconds} s (300 s), a node idle after`,
    `             ${idleGraceSeconds} s (60 s: IDLE_GRACE_SECONDS)`,
    '',
    '  Try, in another terminal:',
    `    npm run -s flux-metrics -- top --insecure --url ${url}`,
    `    curl -k ${url}/explain -H 'Accept: text/plain'`,
    `    curl -k ${url}${metricPath(METRIC)}`,
    `    curl -k ${url}/metrics`,
    `    curl -k ${url}/readyz`,
    '',
    '  An Indexed Job loses its highest nodes first, busy or not. If jobs are lost',
    '  that way, "killed" counts them. Below each change of the size stands why.',
    '',
    '  time  size   up  free  running  pending  desired  HPA',
  ]
}

/** What a line shows of one explanation, so that its numbers do not contradict each other. */
const COLUMNS = [
  { width: 3, value: (now: ReadExplanation) => countRanks(now, ['busy', 'free']) },
  { width: 4, value: (now: ReadExplanation) => countRanks(now, ['free']) },
  { width: 7, value: ({ running }: ReadExplanation) => running?.listed.length },
  { width: 7, value: ({ jobs }: ReadExplanation) => jobs && jobs.first.length + jobs.more },
  { width: 7, value: ({ desired }: ReadExplanation) => desired },
] as const

export interface Moment {
  readonly seconds: number
  /** `undefined` with the user's own broker. */
  readonly cluster: DemoCluster | undefined
  /** `undefined` between syncs. */
  readonly sync: Sync | undefined
  /** Of the terminal; `undefined` without one: then nothing is broken to fit. */
  readonly columns: number | undefined
}

/** A line of the table. If the size changes, the next one says why. */
export async function report(
  port: number,
  { seconds, cluster, sync, columns }: Moment,
): Promise<readonly string[]> {
  const now = await readNow(port)
  const cells = COLUMNS.map(({ width, value }) =>
    String((typeof now === 'string' ? undefined : value(now)) ?? '–').padStart(width),
  )
  const size = String(cluster?.size ?? '–').padStart(4)
  const action = sync?.decision.reason ?? (typeof now === 'string' ? now : '')
  const killed = cluster === undefined || cluster.killed === 0 ? '' : `  (killed ${cluster.killed})`
  const line = [`${seconds}s`.padStart(6), size, ...cells, `${action}${killed}`].join('  ')
  return sync?.why === undefined ? [line.trimEnd()] : [line, ...reason(sync.why, columns)]
}

/** Why the size changed, broken to fit into a terminal of so many columns. */
export function reason(why: string, columns = why.length + INDENT): readonly string[] {
  return row('', why, { columns, hasColor: false })
}

function countRanks({ ranks = [] }: ReadExplanation, states: readonly string[]): number {
  return ranks
    .filter(({ state }) => states.includes(state))
    .reduce((sum, found) => sum + countIds(parseIdset(found.ranks)), 0)
}
