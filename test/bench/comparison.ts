// Compares two servers under the same load. They are loaded in turn, so that changes of the machine's speed affect both.
import { median } from './figures.ts'
import { type Load, load, type ServerProcess } from './processes.ts'

type Measure = keyof Load

export interface Comparison {
  /** Median of the rounds' ratios: the first server's value divided by the second's. */
  ratio(measure: Measure): number
  /** Median of the rounds' differences: the first server's value minus the second's. */
  difference(measure: Measure): number
  /** Median of each server's values. */
  medians(measure: Measure): readonly [first: number, second: number]
}

export interface ComparisonOptions {
  readonly rounds: number
  /** Options of the load generator. */
  readonly load: Readonly<Record<string, string | number>>
  /** Rounds that are not measured. Default: 0. */
  readonly warmUpRounds?: number
}

export async function compare(
  first: ServerProcess,
  second: ServerProcess,
  { load: options, rounds: count, warmUpRounds = 0 }: ComparisonOptions,
): Promise<Comparison> {
  const rounds: (readonly [Load, Load])[] = []
  for (let round = 0; round < warmUpRounds + count; round += 1) {
    const inOrder = round % 2 === 0
    const earlier = await load({ ...options, port: (inOrder ? first : second).port })
    const later = await load({ ...options, port: (inOrder ? second : first).port })
    if (round >= warmUpRounds) rounds.push(inOrder ? [earlier, later] : [later, earlier])
  }
  return {
    ratio: (measure) => median(rounds.map(([a, b]) => a[measure] / b[measure])),
    difference: (measure) => median(rounds.map(([a, b]) => a[measure] - b[measure])),
    medians: (measure) => [
      median(rounds.map(([a]) => a[measure])),
      median(rounds.map(([, b]) => b[measure])),
    ],
  }
}
