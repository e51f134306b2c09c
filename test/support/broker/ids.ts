// Ranks and ids of cores as brokers write them (RFC 22).
import { idsetOf } from '#flux/sets/id-list.ts'
import { formatIdset } from '#flux/sets/idset.ts'

/** Writes ascending ids as an idset, `"0-3,5"`. */
export function formatIds(ascending: readonly number[]): string {
  return formatIdset(idsetOf(ascending))
}
