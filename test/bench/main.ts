// `npm run bench`: ratios that are measured in one run, on the bundles of the images. `--json` prints JSON. Names (`sidecar`,
// `webhook`, `hostile`) select figures; `--short` takes only some of the hostile queues, `--queue TEXT` those with
// this text in their names.
import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { prepare } from './bench.ts'
import { type Figure, formatFigures, reached } from './figures.ts'
import { hostileFigures } from './hostile-queues.ts'
import { sidecarFigures } from './sidecar.ts'
import { webhookFigures } from './webhook.ts'

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    queue: { type: 'string' },
  },
  allowPositionals: true,
})

const FIGURES = { sidecar: sidecarFigures, webhook: webhookFigures, hostile: hostileFigures }

const bench = await prepare()
try {
  const figures: Figure[] = []
  for (const [name, measure] of Object.entries(FIGURES)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue
    figures.push(...(await measure(bench, values)))
  }
  process.stdout.write(
    values.json ? `${JSON.stringify(figures, undefined, 2)}\n` : `${formatFigures(figures)}\n`,
  )
  process.exitCode = figures.every(reached) ? 0 : 1
} finally {
  await rm(bench.folder, { recursive: true, force: true })
}
