// Our own drains: which of them may be lifted. A rank is undrained only when no HPA that acts on an earlier, smaller size
// can still end its pod.
import {
  EMPTY_IDSET,
  type Idset,
  idsBetween,
  intersectIdsets,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { type PublishedSizes, RACE_MS } from './published-sizes.ts'
import type { Ranks } from './ranks.ts'

type RankFacts = Pick<Ranks, 'live' | 'ownDrained'>

/** Follows drained ranks from reading to reading. Each is in one of the three sets, or in none. */
export class OwnDrains {
  /** Drained before they joined, at the start, when a pod of an earlier size might have been about to start. */
  #notJoined: Idset = EMPTY_IDSET
  /** Live, and above a size that is or was published: the HPA ends their pods. */
  #leaving: Idset = EMPTY_IDSET
  /** Have left. What joins again under their number is a pod of a larger size, which no earlier decision ends. */
  #left: Idset = EMPTY_IDSET

  /** Before the first size is published: these ranks are drained in any case, live or not. */
  drainFirst(victims: Idset, { live }: RankFacts): void {
    this.#notJoined = subtractIdsets(victims, live)
  }

  /** Ranks that join, or that a smaller size takes away, are no longer drained for the start alone. */
  join(victims: Idset, { live }: RankFacts): void {
    this.#notJoined = subtractIdsets(this.#notJoined, unionIdsets(victims, live))
  }

  /** The size fell: a rank above it that had left may be taken away once more. */
  fall(size: number): void {
    this.#left = intersectIdsets(this.#left, idsBetween(0, size))
  }

  /** Takes a reading: which drained ranks are about to leave, and which have left. */
  observe(now: number, { live, ownDrained }: RankFacts, sizes: PublishedSizes): void {
    const unwanted = subtractIdsets(intersectIdsets(ownDrained, live), idsBetween(0, sizes.current))
    const leaving = unionIdsets(intersectIdsets(this.#leaving, ownDrained), unwanted)
    this.#leaving = intersectIdsets(leaving, live)
    this.#left = subtractIdsets(intersectIdsets(this.#left, ownDrained), unwanted)
    // Soon after a fall, an earlier fall may have ended the pod, and this one may be about to end its successor.
    if (now - sizes.fellAt < RACE_MS) return
    this.#left = unionIdsets(this.#left, subtractIdsets(leaving, live))
  }

  /**
   * Ranks to undrain.
   *
   * @param target the size that is wanted
   * @param safeSize the smallest size that an HPA may still act on
   * @param isStarting whether a size that an earlier process published may still be acted on
   */
  liftable(
    { live, ownDrained }: RankFacts,
    {
      target,
      safeSize,
      isStarting,
    }: { readonly target: number; readonly safeSize: number; readonly isStarting: boolean },
  ): Idset {
    const wanted = intersectIdsets(ownDrained, idsBetween(0, target))
    const safe = intersectIdsets(wanted, idsBetween(0, safeSize))
    const remade = intersectIdsets(intersectIdsets(wanted, this.#left), live)
    // A pod of an earlier size would have joined by now: what joins from now on is wanted.
    const absent = isStarting ? EMPTY_IDSET : intersectIdsets(ownDrained, this.#notJoined)
    return [safe, remade, absent].reduce(unionIdsets)
  }
}
