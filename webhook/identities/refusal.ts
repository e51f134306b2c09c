// The refusal of a request for an identity: one word of a closed list for programs, and the answer for who asked.
import { StatusError } from '#serving/status.ts'
import type { Claimed } from './bearer.ts'

/** The outcome of a request, as programs read it in logs, errors and metrics. There are no other words. */
const OUTCOMES = [
  'Issued',
  'TrustOnly',
  'BadRequest',
  'NoToken',
  'TokenRefused',
  'NotAPodsToken',
  'PodGone',
  'NotTheGateway',
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

/** A refused request: the answer, and what is logged and counted. */
export class Refusal extends Error {
  readonly outcome: IdentityOutcome
  readonly status: StatusError
  readonly bearer: Claimed

  constructor(outcome: IdentityOutcome, status: StatusError, bearer: Claimed) {
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
  bearer: Claimed = {},
): Refusal {
  const status = new StatusError(code, reason, `Cannot issue an identity: ${lowerFirst(message)}`)
  return new Refusal(outcome, status, bearer)
}

function lowerFirst(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`
}
