// Explanations that were given a moment ago: many askers of one snapshot cost little more than one.
import type { Snapshot } from '#scaling/snapshot.ts'

/** Ages and remaining times in an explanation are wrong by no more than this. */
const LIFE_MS = 1_000

interface Given {
  readonly body: string
  /** In milliseconds of `performance.now()`. */
  readonly at: number
}

/** Holds the explanations of one snapshot: one for each way to ask. */
export class RecentExplanations {
  readonly #given = new Map<string, Given>()
  #snapshot: Snapshot | undefined

  /** @param explain is called if none was given in the last second */
  of(snapshot: Snapshot, question: string, explain: () => string): string {
    if (snapshot !== this.#snapshot) this.#given.clear()
    this.#snapshot = snapshot
    const known = this.#given.get(question)
    const now = performance.now()
    if (known !== undefined && now - known.at < LIFE_MS) return known.body
    const body = explain()
    this.#given.set(question, { body, at: performance.now() })
    return body
  }
}
