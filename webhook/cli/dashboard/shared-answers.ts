// Answers that several tabs share: who asks what is being asked waits for the same answer, and who asks again at once gets it, too.
// So many tabs start no more programs than one.

export interface SharingOptions {
  /** How long an answer is given again. */
  readonly lifeMs: number
  /** The most questions under way at once. */
  readonly most: number
}

interface Shared<Answer> {
  readonly answer: Promise<Answer>
  /** When it came, in milliseconds of `performance.now()`; `undefined` while it is awaited. */
  at: number | undefined
}

export class SharedAnswers<Answer> {
  readonly #options: SharingOptions
  readonly #shared = new Map<string, Shared<Answer>>()

  constructor(options: SharingOptions) {
    this.#options = options
  }

  /**
   * @param ask never rejects
   * @returns `undefined` if too many questions are under way
   */
  async of(key: string, ask: () => Promise<Answer>): Promise<Answer | undefined> {
    this.#forget()
    const known = this.#shared.get(key)
    if (known !== undefined) return known.answer
    const waiting = [...this.#shared.values()].filter(({ at }) => at === undefined)
    if (waiting.length >= this.#options.most) return undefined
    const shared: Shared<Answer> = { answer: ask(), at: undefined }
    this.#shared.set(key, shared)
    const answer = await shared.answer
    shared.at = performance.now()
    return answer
  }

  #forget(): void {
    const since = performance.now() - this.#options.lifeMs
    for (const [key, { at }] of this.#shared) {
      if (at !== undefined && at < since) this.#shared.delete(key)
    }
  }
}
