// The releases of flux-core and the schedulers that can be simulated, and the differences of their answers.

/** A release of flux-core, e.g. `0.88.0`. Changes between recorded releases are dated by the release notes. */
export type FluxVersion = `0.${number}.${number}`

export type Scheduler = 'sched-simple' | 'fluxion' | 'none'

/** The first minor release with each change. */
const SINCE = {
  jobListConstraint: 53,
  jobStatsStream: 55,
  noJobStateEvent: 55,
  allQueuesInJobStats: 59,
  schedStatus: 61,
  noFreePending: 61,
  torpid: 65,
  eventRoutes: 66,
  resourceJournal: 72,
  jobListStream: 82,
  pythonScheduler: 84,
  privateMode: 87,
  wideOverlay: 88,
} as const

export class Release {
  readonly version: FluxVersion
  readonly #minor: number

  constructor(version: FluxVersion) {
    this.version = version
    this.#minor = Number(version.split('.')[1])
  }

  /** Whether this release contains the change. */
  has(change: keyof typeof SINCE): boolean {
    return this.#minor >= SINCE[change]
  }
}
