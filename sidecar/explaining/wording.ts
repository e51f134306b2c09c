// Writes counts, ranks and times for sentences that explain a size. Pure.
import { countIds, formatIdset, type Idset, idsBetween } from '#flux/sets/idset.ts'

/** `1 job`, `2 jobs`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Ranks whose idset is longer are only counted. */
const MAX_IDSET_LENGTH = 40

/** `rank 4 is`, `ranks 4,7-9 are`, `500 ranks are`, `no rank is`. */
export function ranksAre(ranks: Idset): string {
  return `${nameRanks(ranks)} ${countIds(ranks) < 2 ? 'is' : 'are'}`
}

/** `rank 4`, `ranks 4,7-9`, `500 ranks`, `no rank`. */
export function nameRanks(ranks: Idset): string {
  const count = countIds(ranks)
  const text = formatIdset(ranks)
  if (count < 2) return count === 0 ? 'no rank' : `rank ${text}`
  return text.length > MAX_IDSET_LENGTH ? `${count} ranks` : `ranks ${text}`
}

/** `rank 4`, `ranks 4,7-9`, `500 ranks`. */
export function spellRanks(ranks: Idset): string {
  const count = countIds(ranks)
  const text = formatIdset(ranks)
  if (text.length > MAX_IDSET_LENGTH) return `${count} ranks`
  return `${count === 1 ? 'rank' : 'ranks'} ${text}`
}

/** The sizes of a MiniCluster, in nodes. */
interface Sizes {
  readonly present: number
  readonly desired: number | null
}

/** Which ranks go when it shrinks to its desired size: an Indexed Job loses its highest. `undefined` if none goes. */
export function spellGoing({ present, desired }: Sizes): string | undefined {
  if (desired === null || desired >= present) return undefined
  return `${spellRanks(idsBetween(desired, present))}, when it shrinks to ${desired}`
}

/** Until when a job runs at most, beside its name: `ends within 41 min`. */
export function spellEnd(secondsLeft: number): string {
  if (secondsLeft === 0) return 'its time limit is over'
  return `ends within ${spellSeconds(Math.ceil(secondsLeft))}`
}

const UNITS = [
  { seconds: 86_400, name: 'd' },
  { seconds: 3_600, name: 'h' },
  { seconds: 60, name: 'min' },
] as const

/** A longer time is nobody's plan: Flux writes such times where it means none. */
const MAX_YEARS = 10

/** A time in the unit that suits its length: `90 s`, `41 min`. A time in the past is `0 s`. */
export function spellSeconds(seconds: number): string {
  if (Number.isNaN(seconds)) return 'an unknown time'
  if (seconds > MAX_YEARS * 365 * 86_400) return `more than ${MAX_YEARS} years`
  const unit = UNITS.find((candidate) => seconds >= 2 * candidate.seconds)
  if (unit === undefined) return `${Math.max(0, Math.round(seconds))} s`
  return `${Math.round(seconds / unit.seconds)} ${unit.name}`
}
