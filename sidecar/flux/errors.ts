// The errors of talking to a Flux broker: a code for programs, a message for people.

/** The codes of {@link FluxError}, in the order in which they can occur on a connection. */
export type FluxErrorCode =
  | 'FLUX_CONNECT'
  | 'FLUX_DISCONNECTED'
  | 'FLUX_PROTOCOL'
  | 'FLUX_TIMEOUT'
  | 'FLUX_REMOTE'
  | 'FLUX_CANCELLED'

/**
 * Linux error numbers in the answers of brokers (RFC 6, `errnum`). They are the numbers of Linux also when this program
 * runs on another system.
 */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EAGAIN: 11,
  EEXIST: 17,
  EINVAL: 22,
  ENOSYS: 38,
  ENODATA: 61,
  EPROTO: 71,
  EHOSTUNREACH: 113,
} as const

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ERRNO).map(([name, errnum]) => [errnum, name]),
)

/** The symbolic name of a Linux error number (`1` → `EPERM`), or `errno N` for a number that is not in the table. */
export function errnoName(errnum: number): string {
  return ERRNO_NAMES.get(errnum) ?? `errno ${errnum}`
}

interface FluxErrorOptions extends ErrorOptions {
  /** Linux error number in the broker's answer (`FLUX_REMOTE`) or refusal (`FLUX_CONNECT`). */
  readonly errnum?: number | undefined
  /** Topic of the call that failed. */
  readonly topic?: string | undefined
}

/** Every error of `sidecar/flux`. Programs read `code` and `errnum`, never the text. */
export class FluxError extends Error {
  readonly code: FluxErrorCode
  readonly errnum: number | undefined
  readonly topic: string | undefined

  constructor(code: FluxErrorCode, message: string, options: FluxErrorOptions = {}) {
    super(message, options)
    this.name = 'FluxError'
    this.code = code
    this.errnum = options.errnum
    this.topic = options.topic
  }
}

/** Whether `error` is an error answer of the broker: with this `errnum`, or with any if none is given. */
export function isRemote(error: unknown, errnum?: number): error is FluxError {
  if (!(error instanceof FluxError) || error.code !== 'FLUX_REMOTE') return false
  return errnum === undefined || error.errnum === errnum
}
