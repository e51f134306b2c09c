// `npm run soak`: hours of the life of a sidecar, a gateway and a dashboard in minutes. Fails if anything that a process holds on to
// grows with its work.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { programArguments } from '../support/program-arguments.ts'
import type { Sample } from './measure.ts'
import { judge } from './slope.ts'
import { STAGES } from './stages.ts'

/** What may not grow, and the growth from the warm-up to the end that is no leak. */
const FIGURES: Readonly<Record<Exclude<keyof Sample, 'work'>, number>> = {
  heapMiB: 1,
  externalMiB: 1,
  residentMiB: 8,
  objects: 1_000,
  entries: 40,
  listeners: 20,
  handles: 2,
  files: 2,
  matchtags: 1,
}

const NAMES = STAGES.map(({ name }) => name)

const USAGE = `Usage: npm run soak -- [STAGE]... [--short]

  STAGE     ${NAMES.map((name) => `"${name}"`).join(', ')} (default: all)
  --short   only a part of the work: two minutes

Exit codes: 0 nothing grows with the work; 1 something does; 2 wrong usage.
`

const { values, isChosen } = programArguments(
  { short: { type: 'boolean', default: false } },
  { usage: USAGE, names: NAMES },
)

function row(cells: readonly (string | number)[]): string {
  const texts = cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(2) : cell))
  const [name = '', figure = '', ...others] = texts
  return [name.padEnd(34), figure.padEnd(12), ...others.map((text) => text.padStart(10))].join(' ')
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Prints a row for each figure. @returns whether none grew */
function printVerdicts(name: string, samples: readonly Sample[]): boolean {
  let passed = true
  for (const [figure, tolerance] of Object.entries(FIGURES)) {
    const points = samples.map((sample) => ({
      work: sample.work,
      value: sample[figure as keyof typeof FIGURES],
    }))
    const { growth, noise, leaks } = judge(points, tolerance)
    const [first, last] = [points[0]?.value ?? 0, points.at(-1)?.value ?? 0]
    const work = `${samples.at(-1)?.work ?? 0} ${name}`
    print(row([work, figure, first, last, growth, noise, tolerance, leaks ? 'LEAKS' : 'flat']))
    passed &&= !leaks
  }
  return passed
}

const folder = await mkdtemp(join(tmpdir(), 'soak-'))
try {
  print(row(['work', 'figure', 'first', 'last', 'growth', 'noise', 'tolerated', 'verdict']))
  for (const { name, work, short, run } of STAGES) {
    if (!isChosen(name)) continue
    const startedAt = performance.now()
    const samples = await run(values.short ? short : work, folder)
    if (!printVerdicts(name, samples)) process.exitCode = 1
    print(`${name} took ${Math.round((performance.now() - startedAt) / 1000)} s\n`)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
