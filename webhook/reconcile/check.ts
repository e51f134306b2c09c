// What a reconcile looks for, in two steps: which lead brokers are suspects, from metadata alone, and what is true of one.
import type { MiniCluster } from '../injection/minicluster.ts'
import type { Finding } from './finding.ts'
import type { LeadBroker, Survey } from './lead-brokers.ts'

/** A finding about a MiniCluster that exists. */
export interface Found extends Finding {
  readonly minicluster: MiniCluster
}

export interface Check {
  /** The finding in words, for the log. */
  readonly what: string
  suspects(survey: Survey): readonly LeadBroker[]
  /**
   * Reads a suspect and its owners.
   *
   * @returns `undefined` if there is nothing to say
   * @throws ClusterError if the API server does not answer; another Error if only this suspect cannot be examined
   */
  examine(lead: LeadBroker): Promise<Found | undefined>
}
