// `npm run bench`: ratios that are measured in one run, on the bundles of the images.
import { rm } from 'node:fs/promises'
import { endWith, programArguments } from '../support/program-arguments.ts'
import { prepare } from './bench.ts'
import { LONG, SHORT } from './effort.ts'
import { type Figure, reached, writeFigures } from './figures.ts'
import { gatewayFigures } from './gateway.ts'
import { HOSTILE_QUEUES } from './hostile/queues.ts'
import { hostileFigures } from './hostile-queues.ts'
import { sidecarFigures } from './sidecar.ts'
import { webhookFigures } from './webhook.ts'

const USAGE = `Usage: npm run bench -- [sidecar] [webhook] [gateway] [hostile] [--short] [--queue TEXT] [--json]

  sidecar, webhook, gateway, hostile   the figures to measure (default: all)
  --short        measure little: each part takes less than two minutes, and its figures are rough
  --queue TEXT   only hostile queues with this text in their names
  --json         print JSON at the end; without it each figure is printed as soon as it is known

Exit codes: 0 every target is reached; 1 one is missed; 2 wrong usage.
`

const ROUGH =
  'A figure that is missed with --short may be reached without it: ratios and p99 need more rounds.\n'

const FIGURES = {
  sidecar: sidecarFigures,
  webhook: webhookFigures,
  gateway: gatewayFigures,
  hostile: hostileFigures,
}

const { values, isChosen } = programArguments(
  {
    json: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    queue: { type: 'string' },
  },
  { usage: USAGE, names: Object.keys(FIGURES) },
)
const { queue = '' } = values
if (!HOSTILE_QUEUES.some(({ name }) => name.includes(queue))) {
  endWith(`--queue: expected a part of the name of a hostile queue, got "${queue}"`, USAGE)
}

const bench = await prepare(values.short ? SHORT : LONG)
try {
  const figures: Figure[] = []
  for (const [name, measure] of Object.entries(FIGURES)) {
    if (!isChosen(name)) continue
    // JSON is for programs; people see the figures on the other stream.
    const stream = values.json ? process.stderr : process.stdout
    figures.push(...(await writeFigures(measure(bench, values), (text) => stream.write(text))))
  }
  if (values.json) process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`)
  process.exitCode = figures.every(reached) ? 0 : 1
  if (values.short && process.exitCode !== 0) process.stderr.write(ROUGH)
} finally {
  await rm(bench.folder, { recursive: true, force: true })
}
