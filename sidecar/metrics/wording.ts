// Pieces of the sentences in which sizes are explained: counts, ranks and times as people say them.
import { countIds, formatIdset, type Idset } from '#flux/idset.ts'

/** `1 job`, `2 jobs`. */
export function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** `rank 4 is`, `ranks 4,7-9 are`. */
export function ranksAre(ranks: Idset): string {
  return countIds(ranks) === 1 ? `rank ${formatIdset(ranks)} is` : `ranks ${formatIdset(ranks)} are`
}

const UNITS = [
  { seconds: 86_400, name: 'd' },
  { seconds: 3_600, name: 'h' },
  { seconds: 60, name: 'min' },
] as const

/** A time in the unit that one would say it in: `90 s`, `41 min`. What lies in the past is `0 s`. */
export function spellSeconds(seconds: number): string {
  const unit = UNITS.find((candidate) => seconds >= 2 * candidate.seconds)
  if (unit === undefined) return `${Math.max(0, Math.round(seconds))} s`
  return `${Math.round(seconds / unit.seconds)} ${unit.name}`
}
