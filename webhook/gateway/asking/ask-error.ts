// Why a question has no answer: the Status for whoever asked, and the word for telemetry.
import { StatusError, unavailable } from '#serving/status.ts'
import type { FailureKind, PeerFailure } from '../connections/peer-failure.ts'
import type { MiniClusterName, Peer } from '../peers/peer.ts'
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

const OUTCOMES: Readonly<Record<FailureKind, AskOutcome>> = {
  unreachable: 'unreachable',
  identity: 'identity',
  uncertified: 'identity',
  abandoned: 'late',
  invalid: 'invalid',
}

/** The peer that was asked gave no answer. */
export function failedAsk(name: MiniClusterName, { pod }: Peer, failure: PeerFailure): AskError {
  const message = `${titleOf(name)}: its pod ${pod} ${failure.message}`
  return new AskError(OUTCOMES[failure.kind], unavailable(message), { cause: failure })
}
