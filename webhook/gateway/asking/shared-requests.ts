// Requests that several askers share: who asks what is being asked waits for the same answer. Each waits until a time of his own,
// and the request ends when nobody waits for it.

/** A request that has begun. */
export interface Flight<Answer> {
  readonly answer: Promise<Answer>
  /** Why there is no answer yet, for those who cannot wait any longer. */
  late(): Error
}

interface Shared<Answer> extends Flight<Answer> {
  readonly startedAt: number
  readonly controller: AbortController
  waiting: number
  isSettled: boolean
}

/** A request that has taken longer is stuck perhaps: newcomers do not depend on it. */
const JOINABLE_MS = 1_000

export class SharedRequests<Answer> {
  readonly #latest = new Map<string, Shared<Answer>>()
  readonly #clock: () => number

  /** @param clock milliseconds of the clock of the deadlines */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  isUnderWay(key: string): boolean {
    const shared = this.#latest.get(key)
    return shared !== undefined && this.#clock() - shared.startedAt < JOINABLE_MS
  }

  /** Joins the request under way, or starts one. */
  async join(
    key: string,
    deadline: number,
    start: (signal: AbortSignal) => Flight<Answer>,
  ): Promise<Answer> {
    const under = this.isUnderWay(key) ? this.#latest.get(key) : undefined
    const shared = under ?? this.#start(key, start)
    const { promise, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(shared.late()), Math.max(0, deadline - this.#clock()))
    shared.waiting += 1
    try {
      return await Promise.race([shared.answer, promise])
    } finally {
      clearTimeout(timer)
      shared.waiting -= 1
      if (shared.waiting === 0) {
        this.#forget(key, shared)
        if (!shared.isSettled) shared.controller.abort()
      }
    }
  }

  #start(key: string, start: (signal: AbortSignal) => Flight<Answer>): Shared<Answer> {
    const controller = new AbortController()
    const { answer, late } = start(controller.signal)
    const shared = { answer, late, controller, startedAt: this.#clock() }
    const flight: Shared<Answer> = { ...shared, waiting: 0, isSettled: false }
    this.#latest.set(key, flight)
    const settle = () => {
      flight.isSettled = true
      this.#forget(key, flight)
    }
    answer.then(settle, settle)
    return flight
  }

  #forget(key: string, shared: Shared<Answer>): void {
    if (this.#latest.get(key) === shared) this.#latest.delete(key)
  }
}
