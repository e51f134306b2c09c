// How much is measured for a figure: as much as it needs to be compared with its target, or little, to see that it is measured at all
// and whether it is far off.

export interface Effort {
  /** Of a comparison, in each of which both servers are loaded. */
  readonly rounds: number
  /** Of one load as fast as the server answers, and of one at a rate. */
  readonly loadSeconds: number
  readonly rateSeconds: number
  /** Measurements of what this process does itself. */
  readonly runs: number
  readonly starts: number
  /** Requests, and reviews, before the memory is looked at. */
  readonly requests: number
  readonly largeReviews: number
  readonly idleSeconds: number
  /** In which calls to the broker are counted. */
  readonly callsSeconds: number
  readonly submittedJobs: number
  /** Pending jobs. */
  readonly longQueue: number
  readonly fleet: {
    readonly miniclusters: number
    /** An HPA asks so often. */
    readonly periodMs: number
    readonly measureMs: number
    readonly rounds: number
    readonly idleMs: number
  }
  /** Every so many of the hostile queues, and so many readings of each; `undefined`: as many as its jobspecs need. */
  readonly hostile: { readonly every: number; readonly readings: number | undefined }
}

export const LONG: Effort = {
  rounds: 7,
  loadSeconds: 2,
  rateSeconds: 4,
  runs: 15,
  starts: 9,
  requests: 100_000,
  largeReviews: 40,
  idleSeconds: 15,
  callsSeconds: 21,
  submittedJobs: 25,
  longQueue: 100_000,
  fleet: { miniclusters: 1_000, periodMs: 15_000, measureMs: 30_000, rounds: 3, idleMs: 20_000 },
  hostile: { every: 1, readings: undefined },
}

/** Each part of the benchmark takes less than two minutes of a slow machine with two cores. */
export const SHORT: Effort = {
  rounds: 2,
  loadSeconds: 1,
  rateSeconds: 1,
  runs: 5,
  starts: 3,
  requests: 10_000,
  largeReviews: 5,
  idleSeconds: 5,
  callsSeconds: 5,
  submittedJobs: 5,
  longQueue: 20_000,
  // As many requests a second as 1,000 HPAs send.
  fleet: { miniclusters: 300, periodMs: 4_500, measureMs: 9_000, rounds: 1, idleMs: 5_000 },
  hostile: { every: 5, readings: 4 },
}
