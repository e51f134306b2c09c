// `npm run bench`: ratios that are measured in one run, on the bundles of the images. `--json` prints JSON. The name of a
// program (`sidecar`, `webhook`) selects its figures.
import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { prepare } from './bench.ts'
import { type Figure, formatFigures, reached } from './figures.ts'
import { sidecarFigures } from './sidecar.ts'
import { webhookFigures } from './webhook.ts'

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
})

const PROGRAMS = { sidecar: sidecarFigures, webhook: webhookFigures }

const bench = await prepare()
try {
  const figures: Figure[] = []
  for (const [name, measure] of Object.entries(PROGRAMS)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue
    figures.push(...(await measure(bench)))
  }
  process.stdout.write(
    values.json ? `${JSON.stringify(figures, undefined, 2)}\n` : `${formatFigures(figures)}\n`,
  )
  process.exitCode = figures.every(reached) ? 0 : 1
} finally {
  await rm(bench.folder, { recursive: true, force: true })
}
