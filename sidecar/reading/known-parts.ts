// Parts of a reading that are known, or unknown because Flux hides them from guests or answers oddly. Any other failure is one
// of the whole reading.
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import { type Unknown, unknown } from './unknown.ts'

export const HIDDEN = unknown(
  'Flux hides jobs from the sidecar, which is a guest (access.private-mode): unset this setting in the broker ' +
    'configuration, or run the sidecar with the UID of the broker (annotation flux-metrics/run-as-user)',
)

/** @throws what the call threw */
export function fulfilled<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason
  return result.value
}

/** A refusal because we are a guest is not an error: the value is unknown. */
export function knownUnlessHidden<T>(result: PromiseSettledResult<T>): T | Unknown {
  return isHidden(result) ? HIDDEN : fulfilled(result)
}

/** An odd part of an answer makes unknown only what needs it. */
export function knownUnlessOdd<T>(result: PromiseSettledResult<T>): T | Unknown {
  const isOdd = result.status === 'rejected' && isProtocolError(result.reason)
  return isOdd ? unknown(result.reason.message) : knownUnlessHidden(result)
}

export async function unlessOdd<T>(answer: Promise<T>): Promise<T | Unknown> {
  const [result] = await Promise.allSettled([answer])
  return knownUnlessOdd(result)
}

function isProtocolError(error: unknown): error is FluxError {
  return error instanceof FluxError && error.code === 'FLUX_PROTOCOL'
}

function isHidden(result: PromiseSettledResult<unknown>): boolean {
  return result.status === 'rejected' && isRemote(result.reason, ERRNO.EPERM)
}
