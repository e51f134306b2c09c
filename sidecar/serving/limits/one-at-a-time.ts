// Lets one through at a time, in the order in which they came.

export class OneAtATime {
  #last: Promise<void> = Promise.resolve()

  /** Resolves when it is the caller's turn. @returns ends it */
  async take(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#last
    this.#last = promise
    await before
    return resolve
  }
}
