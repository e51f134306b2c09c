// The file of user-defined metrics (METRICS_FILE), while the program runs: what it defines is in the catalog, and what is
// wrong with it in the log. It may come later, change and go: a ConfigMap is optional, and its volume follows it.
import { readFile } from 'node:fs/promises'
import type { Logger } from '#serving/log.ts'
import { Reload } from '#serving/reload.ts'
import type { Catalog } from '../catalog.ts'
import { readUserMetrics } from './user-metrics.ts'

/** What a ConfigMap may hold: 1 MiB. */
const MAX_CHARACTERS = 2 ** 20

export interface MetricsFileOptions {
  readonly path: string
  readonly catalog: Catalog
  readonly log: Logger
  readonly intervalMs?: number
}

/** Keeps the catalog to the file, from now on until it is closed. */
export async function followMetricsFile(options: MetricsFileOptions) {
  const { path, catalog, log, intervalMs } = options
  let isDefined = false
  const reload = new Reload({
    read: () => read(path),
    fingerprint: ({ text }) => text,
    current: undefined,
    onChange: ({ metrics, problems }) => {
      isDefined = true
      catalog.setUserMetrics(metrics)
      for (const problem of problems) log.error({ problem }, 'left out a metric that is no good')
      log.info({ file: path, metrics: metrics.map(({ name }) => name) }, 'loaded user metrics')
    },
    onRefused: (err) =>
      log.error(
        { err },
        isDefined ? 'kept the user metrics: the new file is no good' : 'there are no user metrics',
      ),
    intervalMs,
  })
  await reload.check()
  return reload
}

/** @throws Error if the file cannot be read, or is no list of metrics */
async function read(path: string) {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Error(`Cannot read METRICS_FILE "${path}"`, { cause })
  })
  if (text.length > MAX_CHARACTERS) {
    const message = `Cannot use METRICS_FILE "${path}": expected at most ${MAX_CHARACTERS} characters, got ${text.length}`
    throw new Error(message)
  }
  const reading = readUserMetrics(text, path)
  if (reading.kind === 'unreadable') throw new Error(`Cannot use METRICS_FILE: ${reading.problem}`)
  return { text, ...reading }
}
