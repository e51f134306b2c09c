// What a reconcile looks for, in two steps: which lead brokers are suspects, from metadata alone, and what is true of one.
import type { MiniCluster } from '../objects/minicluster.ts'
import type { Announcement } from './announcement.ts'
import type { LeadBroker, Survey } from './lead-brokers.ts'

/** A suspicion that is true, about a MiniCluster that exists. */
export interface Confirmed extends Announcement {
  readonly minicluster: MiniCluster
}

export interface Suspicion {
  /** What is suspected, in words for the log. */
  readonly what: string
  suspects(survey: Survey): readonly LeadBroker[]
  /**
   * Reads a suspect and its owners.
   *
   * @returns `undefined` if there is nothing to say
   * @throws ClusterError if the API server does not answer; another Error if only this suspect cannot be examined
   */
  examine(lead: LeadBroker): Promise<Confirmed | undefined>
}
