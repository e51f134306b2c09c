// Why a question has no answer: the Status for whoever asked, and the word for telemetry.
import { StatusError } from '#serving/status.ts'
import type { MiniClusterName } from '../peers/peer.ts'
import type { AskOutcome } from './observer.ts'

export class AskError extends StatusError {
  readonly outcome: AskOutcome

  constructor(outcome: AskOutcome, { code, reason, message }: StatusError, options?: ErrorOptions) {
    super(code, reason, message, options)
    this.outcome = outcome
  }
}

/** Opens each sentence about a MiniCluster. */
export function titleOf({ namespace, minicluster }: MiniClusterName): string {
  return `MiniCluster ${namespace}/${minicluster}`
}
