// A figure of the benchmark: its value, its target, and how figures are printed.

/** One measured figure. */
export interface Figure {
  readonly name: string
  readonly value: number
  /** `%` of one core. */
  readonly unit: '×' | 'MiB' | 'calls' | 'ms' | '%'
  readonly target: { readonly at: 'least' | 'most'; readonly value: number } | undefined
  /** Absolute numbers behind it, for people. */
  readonly detail: string
}

export function reached({ value, target }: Figure): boolean {
  if (target === undefined) return true
  return target.at === 'least' ? value >= target.value : value <= target.value
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Writes each figure as soon as it is known: a run that is ended early has said what it has measured. */
export async function writeFigures(
  figures: AsyncIterable<Figure>,
  write: (text: string) => unknown,
): Promise<readonly Figure[]> {
  const all: Figure[] = []
  for await (const figure of figures) {
    all.push(figure)
    write(`${formatFigure(figure)}\n`)
  }
  return all
}

/** A row of a table for a terminal. */
function formatFigure(figure: Figure): string {
  const { name, value, unit, target, detail } = figure
  const bound = target === undefined ? '' : `${target.at === 'least' ? '≥' : '≤'} ${target.value}`
  const mark = reached(figure) ? 'ok' : 'MISSED'
  return [
    name.padEnd(52),
    `${value.toFixed(2)} ${unit}`.padStart(12),
    bound.padStart(8),
    mark.padEnd(6),
    detail,
  ].join('  ')
}
