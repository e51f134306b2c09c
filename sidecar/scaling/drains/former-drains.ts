// Our own drains from a time when DRAIN was on. A sidecar that runs without DRAIN lifts them with the same care: a rank is
// undrained only when the size has counted it for the length of the race, so that no HPA acts on a smaller size any more.
import { EMPTY_IDSET, intersectIdsets, isEmpty } from '#flux/sets/idset.ts'
import { type Ranks, sizeWith } from '#scaling/ranks.ts'
import type { DrainPlan } from './drain-before-shrink.ts'
import { RACE_MS } from './published-sizes.ts'

/** Lifts the drains of an instance. */
export class FormerDrains {
  #since: number | undefined
  #size: number | undefined

  /** The size that is published; `undefined` if no drain is left: then it is what is wanted. */
  get size(): number | undefined {
    return this.#size
  }

  /** It does not matter when a size was read: every drain waits as if that was just before the first plan. */
  read(): void {}

  restart(): void {}

  /**
   * Takes a reading.
   *
   * @param now milliseconds of a clock that never goes back
   * @param target the size that is wanted
   * @returns `undefined` if no drain is left
   */
  plan(
    now: number,
    { live, ownDrained }: Pick<Ranks, 'live' | 'ownDrained'>,
    target: number,
  ): DrainPlan | undefined {
    if (isEmpty(ownDrained)) {
      this.#since = undefined
      this.#size = undefined
      return undefined
    }
    this.#since ??= now
    const lookAt = this.#since + RACE_MS
    this.#size = Math.max(target, sizeWith(intersectIdsets(live, ownDrained)))
    return {
      size: this.#size,
      drain: EMPTY_IDSET,
      undrain: now < lookAt ? EMPTY_IDSET : ownDrained,
      preparing: undefined,
      lookAt,
      held: now < lookAt ? [{ ranks: ownDrained, because: 'former', until: lookAt }] : [],
    }
  }
}
