// Drained ranks that are still held, why, and until when.
import type { Idset } from '#flux/sets/idset.ts'

/** Why. */
export type HeldBecause =
  /** They are wanted, and their pods may be ending: a smaller size was read a moment ago. */
  | 'ending'
  /** They are wanted and absent. A pod that joined now could be one that is being ended. */
  | 'awaited'
  /** No job needs them. They stay drained until one does, or until their pods end. */
  | 'unwanted'
  /** They were drained when DRAIN was on, and are lifted. */
  | 'former'

/** Ranks that are held together. */
export interface HeldDrain<Time> {
  readonly ranks: Idset
  readonly because: HeldBecause
  /** When they are undrained, if nothing else happens; `undefined` if that is not known. */
  readonly until: Time | undefined
}
