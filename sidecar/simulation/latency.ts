// The delays of a simulated Flux: one time for every event, or a list of times that are used in turn.

/** In milliseconds. Of a list, each event takes the next one, and after the last the first. */
export type Latency = number | readonly number[]

/** How long Flux takes for a job, beside the job itself. */
export interface JobLatencies {
  /** From the scheduler's choice of ranks until it has matched them all. Default: 0. */
  readonly matchMs?: Latency
  /**
   * From the match until R is committed to the KVS. Until then Flux shows the job as waiting and its ranks as free.
   * Default: 0.
   */
  readonly commitMs?: Latency
  /** From the allocation until the job's processes run. Default: 0. */
  readonly startMs?: Latency
  /** From the end of the processes until the job is inactive. Its resources stay allocated. Default: 0. */
  readonly epilogMs?: Latency
  /** How long the resources stay allocated after the job is inactive. Default: 0. */
  readonly housekeepingMs?: Latency
}

/** Takes one time after the other. */
export class Turns {
  readonly #times: readonly number[]
  #next = 0

  constructor(latency: Latency = 0) {
    this.#times = typeof latency === 'number' ? [latency] : latency
  }

  next(): number {
    const time = this.#times[this.#next % this.#times.length] ?? 0
    this.#next += 1
    return time
  }
}
