// How many random cases the tests try: a twentieth by default, which finds what these tests were written for. `TEST_RUNS=full` tries
// all; a number is a share of all, or a multiple (`TEST_RUNS=5`).

/** The tests try so many cases by default, as a share of all. */
const SHARE = 0.05

/** How many of `all` random cases are tried; at least one. */
export function runs(all: number, wanted: string = process.env.TEST_RUNS ?? ''): number {
  return Math.max(1, Math.round(all * shareOf(wanted)))
}

/** Numbers from 1 to `all`, evenly spread: those of the cases that are tried, but twenty at least. */
export function someOf(all: number, wanted?: string): readonly number[] {
  const count = Math.min(all, Math.max(20, runs(all, wanted)))
  return Array.from({ length: count }, (_, index) => Math.floor((index * all) / count) + 1)
}

function shareOf(wanted: string): number {
  if (wanted === '') return SHARE
  const share = wanted === 'full' ? 1 : Number(wanted)
  if (share > 0 && Number.isFinite(share)) return share
  throw new Error(`TEST_RUNS: expected "full" or a number above 0, got "${wanted}"`)
}
