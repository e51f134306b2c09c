// The values of one call: its request as a message, and its result or error from the answer. Holds no state.
import { ERRNO, errnoName, FluxError } from '../errors.ts'
import { FLAG, type RequestMessage, type ResponseMessage, USERID_UNKNOWN } from './message.ts'
import { decodeText, encodeJson, type JsonObject } from './payload.ts'

/**
 * A request to be routed by the broker (RFC 6).
 *
 * @param args the JSON object to send, or `undefined` for a request without payload
 */
export function requestMessage(
  topic: string,
  args: JsonObject | undefined,
  { nodeid, matchtag, flags }: { nodeid: number; matchtag: number; flags: number },
): RequestMessage {
  return {
    type: 'request',
    flags: flags | FLAG.route,
    userid: USERID_UNKNOWN,
    rolemask: 0,
    routes: [],
    topic,
    payload: args === undefined ? undefined : encodeJson(args),
    nodeid,
    matchtag,
  }
}

/** The error of a call that the caller cancelled by its signal. */
export function cancelled(topic: string, signal: AbortSignal | undefined): FluxError {
  return new FluxError('FLUX_CANCELLED', `Cancelled the call "${topic}"`, {
    topic,
    cause: signal?.reason,
  })
}

/** The answer; or EMSGSIZE without a payload if its payload is larger than the caller wants. */
export function limitAnswer(
  { errnum, payload }: ResponseMessage,
  { maxBytes = Number.POSITIVE_INFINITY }: { readonly maxBytes?: number },
): Pick<ResponseMessage, 'errnum' | 'payload'> {
  if ((payload?.length ?? 0) <= maxBytes) return { errnum, payload }
  return { errnum: ERRNO.EMSGSIZE, payload: undefined }
}

/** The error of a call that the broker answered with an error number. */
export function remoteError(topic: string, { errnum, payload }: ResponseMessage): FluxError {
  const text = decodeText(payload)
  const message = `"${topic}" failed: ${errnoName(errnum)}${text ? ` (${text})` : ''}`
  return new FluxError('FLUX_REMOTE', message, { errnum, topic })
}

/** Decodes an answer with `decode` and passes it to `resolve`. If it cannot be decoded, the error goes to `reject`. */
export function settle<T>(
  decode: () => T,
  resolve: (value: T) => void,
  reject: (error: FluxError) => void,
): void {
  let value: T
  try {
    value = decode()
  } catch (cause) {
    reject(
      cause instanceof FluxError
        ? cause
        : new FluxError('FLUX_PROTOCOL', 'Cannot decode an answer', { cause }),
    )
    return
  }
  resolve(value)
}
