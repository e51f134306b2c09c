// The refusal of a request for an identity: one word of a closed list for programs, and the answer for the sidecar.
import { StatusError } from '#serving/status.ts'

/** The outcome of a request, as programs read it in logs, errors and metrics. There are no other words. */
const OUTCOMES = [
  'Issued',
  'TrustOnly',
  'BadRequest',
  'NoToken',
  'TokenRefused',
  'NotAPodsToken',
  'PodGone',
  'NotInjected',
  'NotALeadBroker',
  'BadCertificateRequest',
  'WeakKey',
  'WrongNames',
  'NoAuthority',
  'ApiServerAway',
  'TooMany',
  'InternalError',
] as const

export type IdentityOutcome = (typeof OUTCOMES)[number]

/** The pod that shows a token, after all checks. */
export interface Bearer {
  readonly namespace: string
  readonly pod: string
  readonly minicluster: string
}

/** A refused request: the answer, and what is logged and counted. */
export class Refusal extends Error {
  readonly outcome: IdentityOutcome
  readonly status: StatusError
  readonly bearer: Partial<Bearer>

  constructor(outcome: IdentityOutcome, status: StatusError, bearer: Partial<Bearer>) {
    super(status.message, { cause: status })
    this.outcome = outcome
    this.status = status
    this.bearer = bearer
  }
}

/**
 * The refusal with the sentence that callers read.
 *
 * @param status its message is the reason, the second part of the sentence
 */
export function refusalOf(
  outcome: IdentityOutcome,
  { code, reason, message }: StatusError,
  bearer: Partial<Bearer> = {},
): Refusal {
  const status = new StatusError(code, reason, `Cannot issue an identity: ${lowerFirst(message)}`)
  return new Refusal(outcome, status, bearer)
}

function lowerFirst(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`
}
