// Which releases of flux-core and which schedulers can be simulated, and in what their answers differ.

/** A release of flux-core, `0.88.0`. What changed between those we have seen is dated by the release notes. */
export type FluxVersion = `0.${number}.${number}`

export type Scheduler = 'sched-simple' | 'fluxion' | 'none'

/** First minor releases with a feature, or without it. */
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

  /** Whether this release is that of the change or a later one. */
  has(change: keyof typeof SINCE): boolean {
    return this.#minor >= SINCE[change]
  }
}
