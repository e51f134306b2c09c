// One exchange of a call: the request as a message, and what its answer or its end means to the caller.
import { errnoName, FluxError } from '../errors.ts'
import { FLAG, type RequestMessage, type ResponseMessage, USERID_UNKNOWN } from './message.ts'
import { decodeText, encodeJson, type JsonObject } from './payload.ts'

/** The largest matchtag that fits the signed integer of a cancel request. */
const MAX_MATCHTAG = 0x7fffffff

/** The matchtag after `last` that no call in `inUse` owns; 0 means "none" on the wire and is never given. */
export function nextMatchtag(last: number, inUse: ReadonlyMap<number, unknown>): number {
  let matchtag = last
  do matchtag = matchtag === MAX_MATCHTAG ? 1 : matchtag + 1
  while (inUse.has(matchtag))
  return matchtag
}

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

/** What a caller is told that gave up by its signal. */
export function cancelled(topic: string, signal: AbortSignal | undefined): FluxError {
  return new FluxError('FLUX_CANCELLED', `Gave up the call "${topic}"`, {
    topic,
    cause: signal?.reason,
  })
}

/** What a caller is told of an answer with an error number. */
export function remoteError(topic: string, { errnum, payload }: ResponseMessage): FluxError {
  const text = decodeText(payload)
  const message = `"${topic}" failed: ${errnoName(errnum)}${text ? ` (${text})` : ''}`
  return new FluxError('FLUX_REMOTE', message, { errnum, topic })
}

/** Decodes an answer; one that cannot be decoded fails its call. */
export function settle<T>(
  make: () => T,
  resolve: (value: T) => void,
  reject: (error: FluxError) => void,
): void {
  let value: T
  try {
    value = make()
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
