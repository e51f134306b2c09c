// Why a sidecar does not get what it asks for: closed words for programs, an answer for the caller.
import { StatusError } from '#serving/status.ts'

/** What came of a request; for programs, in logs, errors and metrics. No other words are used there. */
export const OUTCOMES = [
  'Issued',
  'TrustOnly',
  'BadRequest',
  'NoToken',
  'TokenRefused',
  'NotAPodsToken',
  'PodGone',
  'NotInjected',
  'NotALeadBroker',
  'NotEnabled',
  'BadCertificateRequest',
  'WeakKey',
  'WrongNames',
  'NoAuthority',
  'ApiServerAway',
  'TooMany',
  'InternalError',
] as const

export type IdentityOutcome = (typeof OUTCOMES)[number]

/** Whom a token is of, after all checks. */
export interface Bearer {
  readonly namespace: string
  readonly pod: string
  readonly minicluster: string
}

/** A request that is not granted: the answer, and what is logged and counted. */
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

/** @param status its message is the reason, a part of a sentence */
export function refuse(
  outcome: IdentityOutcome,
  { code, reason, message }: StatusError,
  bearer: Partial<Bearer> = {},
): Refusal {
  const status = new StatusError(code, reason, `Cannot give an identity: ${lowerFirst(message)}`)
  return new Refusal(outcome, status, bearer)
}

function lowerFirst(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`
}
