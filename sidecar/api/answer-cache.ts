// Answers already written down, by URL, for as long as the snapshot they were read from is the latest. Whether it may
// still be served is not judged here.
import type { Snapshot } from '#metrics/snapshot.ts'

/** The catalog in three path forms and two versions is some 170 URLs. */
const MAX_ANSWERS = 512

/** Longer URLs are nobody's routine. */
const MAX_URL_LENGTH = 512

export class AnswerCache {
  readonly #answers = new Map<string, string>()
  #snapshot: Snapshot | undefined

  get(snapshot: Snapshot, url: string): string | undefined {
    return snapshot === this.#snapshot ? this.#answers.get(url) : undefined
  }

  set(snapshot: Snapshot, url: string, answer: string): void {
    if (url.length > MAX_URL_LENGTH) return
    if (snapshot !== this.#snapshot || this.#answers.size >= MAX_ANSWERS) {
      this.#answers.clear()
      this.#snapshot = snapshot
    }
    this.#answers.set(url, answer)
  }
}
