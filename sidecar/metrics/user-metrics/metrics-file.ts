// Follows the file of user-defined metrics (METRICS_FILE) while the program runs: puts its metrics into the catalog and its
// problems into the log. The file may appear, change and disappear at any time, because the ConfigMap is optional.
import { readFile } from 'node:fs/promises'
import type { Logger } from '#serving/log.ts'
import { Reload } from '#serving/reload.ts'
import type { Catalog } from '../catalog.ts'
import { readUserMetrics } from './user-metrics.ts'

/** The limit of a ConfigMap: 1 MiB. */
const MAX_CHARACTERS = 2 ** 20

interface MetricsFileOptions {
  readonly path: string
  readonly catalog: Catalog
  readonly log: Logger
}

/** Keeps the catalog equal to the file, until the result is closed. */
export async function followMetricsFile({ path, catalog, log }: MetricsFileOptions) {
  let isDefined = false
  const reload = new Reload({
    read: () => read(path),
    fingerprint: ({ text }) => text,
    current: undefined,
    onChange: ({ metrics, problems }) => {
      isDefined = true
      catalog.setUserMetrics(metrics)
      for (const problem of problems) log.error({ problem }, 'ignored an invalid user metric')
      log.info({ file: path, metrics: metrics.map(({ name }) => name) }, 'loaded user metrics')
    },
    onRefused: (err) =>
      log.error(
        { err },
        isDefined
          ? 'kept the previous user metrics: the file cannot be used'
          : 'no user metrics: the file cannot be used',
      ),
  })
  await reload.check()
  return reload
}

/** @throws Error if the file cannot be read, or has no list of metrics */
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
