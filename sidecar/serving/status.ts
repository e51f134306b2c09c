// Errors as Kubernetes `Status` objects (meta/v1): HTTP code, machine-readable reason and a message for people.
// `kubectl describe hpa` shows the message verbatim to users of an HPA.

import { printable } from './text.ts'

/** meta/v1 `Status` of a failure. It never has `retryAfterSeconds`: client-go would repeat the call within one HPA sync. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Record<string, never>
  readonly status: 'Failure'
  readonly message: string
  readonly reason: string
  readonly code: number
}

/** An error that is answered as a {@link Status}. The caller sees its `message`. */
export class StatusError extends Error {
  /** HTTP status code, 400 and above. */
  readonly code: number
  /** meta/v1 `StatusReason`. */
  readonly reason: string

  constructor(code: number, reason: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StatusError'
    this.code = code
    this.reason = reason
  }

  toStatus(): Status {
    const { reason, code } = this
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: printable(this.message),
      reason,
      code,
    }
  }
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message)
}

export function unauthorized(message: string): StatusError {
  return new StatusError(401, 'Unauthorized', message)
}

export function forbidden(message: string): StatusError {
  return new StatusError(403, 'Forbidden', message)
}

export function notFound(message: string): StatusError {
  return new StatusError(404, 'NotFound', message)
}

export function methodNotAllowed(method: string, allowed: string): StatusError {
  return new StatusError(
    405,
    'MethodNotAllowed',
    `Cannot ${method}: only ${allowed} is served here`,
  )
}

export function requestTimeout(message: string): StatusError {
  return new StatusError(408, 'Timeout', message)
}

export function tooLarge(message: string): StatusError {
  return new StatusError(413, 'RequestEntityTooLarge', message)
}

export function tooManyRequests(message: string): StatusError {
  return new StatusError(429, 'TooManyRequests', message)
}

export function headersTooLarge(message: string): StatusError {
  return new StatusError(431, 'BadRequest', message)
}

/** The text is constant: the real error is in the log, and the caller does not see it. */
export function internalError(cause: unknown): StatusError {
  return new StatusError(500, 'InternalError', 'Internal error of flux-metrics', { cause })
}

export function unavailable(message: string): StatusError {
  return new StatusError(503, 'ServiceUnavailable', message)
}

/**
 * The sentence that every custom metrics server answers for a metric that it does not have.
 *
 * @param resource in lower case, with its group: `miniclusters.flux-framework.org`
 * @param name of the object; without it, the answer is about any object
 * @param hint names that the server does have
 */
export function metricNotFound(
  resource: string,
  metric: string,
  { name, hint }: { readonly name?: string; readonly hint?: string } = {},
): StatusError {
  const object = name === undefined ? resource : `${resource} ${name}`
  const more = hint === undefined ? '' : `: ${hint}`
  return notFound(`the server could not find the metric ${metric} for ${object}${more}`)
}
