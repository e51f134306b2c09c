// One question to one peer over HTTP/1.1: sends it, reads the whole answer within bounds. Does not judge what the answer says.
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { stopParsing } from '#serving/stop-parsing.ts'
import type { Peer } from '../peers/peer.ts'
import type { ConnectionPool } from './connection-pool.ts'
import { codeOf, failureOf, PeerFailure, placeOf, strangeAnswer } from './peer-failure.ts'

const MAX_HEADER_BYTES = 16 * 1024

/**
 * A sidecar sends pieces of up to 16 KiB, and of a kilobyte at least but for the last ones. 200,000 pieces of a byte, which fit
 * into 1 MB, hold the event loop for a second.
 */
const PIECE_BYTES = 512
const FEW_PIECES = 32

/** The memory of one answer. */
export interface AnswerShare {
  /**
   * Takes more memory.
   *
   * @throws Error if there is none: nothing was taken
   */
  grow(bytes: number): void
  /** Frees all. */
  close(): void
}

/** An answer, as it came. */
export interface RawAnswer {
  readonly code: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export interface Exchange {
  readonly pool: ConnectionPool
  readonly peer: Peer
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The longest answer. */
  readonly maxBytes: number
  /** The memory of the answer. */
  readonly share: AnswerShare
  readonly signal: AbortSignal
}

/**
 * Asks once; twice if the peer has closed a kept connection just when it was used again: then it has not read the question,
 * and reading a metric twice does no harm.
 *
 * @throws PeerFailure; AskError if there is no room for the answer; the abort of the signal
 */
export async function exchange(options: Exchange): Promise<RawAnswer> {
  try {
    return await askOnce(options)
  } catch (cause) {
    if (!(cause instanceof Outdated)) throw cause
    // Others that were kept are probably closed as well.
    options.pool.closeIdle()
    return await askOnce(options).catch((again: unknown) => {
      throw again instanceof Outdated ? failureOf(options.peer, again.cause) : again
    })
  }
}

/** A kept connection was closed before any byte of an answer. */
class Outdated extends Error {}

async function askOnce(options: Exchange): Promise<RawAnswer> {
  const { pool, peer, path, headers, maxBytes, share, signal } = options
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const call = request({
    agent: pool,
    host: peer.address,
    port: peer.port,
    path,
    headers,
    signal,
    maxHeaderSize: MAX_HEADER_BYTES,
  })
  call.once('response', resolve)
  call.once('upgrade', (_response, socket) => {
    socket.destroy()
    reject(new PeerFailure('invalid', `answers no HTTP/1.1 at ${placeOf(peer)}`))
  })
  // Node would read them for ever, 4,000 of each 64 KiB. No sidecar sends any.
  call.once('information', ({ statusCode }) => {
    reject(strangeAnswer(peer, `it sends ${statusCode} before its answer`))
    stop(call)
  })
  call.on('error', (cause) => {
    if (signal.aborted) return reject(cause)
    const isClosed = ['ECONNRESET', 'EPIPE'].includes(codeOf(cause) ?? '')
    const isOutdated = isClosed && call.reusedSocket
    reject(isOutdated ? new Outdated('closed', { cause }) : failureOf(peer, cause))
  })
  call.end()
  const response = await promise
  return { code: response.statusCode ?? 0, headers: response.headers, body: await read(response) }

  function read(response: IncomingMessage): Promise<Buffer> {
    const whole = Promise.withResolvers<Buffer>()
    const chunks: Buffer[] = []
    let length = 0
    const fail = (failure: unknown) => {
      whole.reject(failure)
      stop(call)
    }
    // Many pieces come in one turn of the event loop: only here can the rest of them be left out.
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      try {
        share.grow(chunk.length)
      } catch (full) {
        fail(full)
      }
      if (length > maxBytes) {
        const what = `answers more than ${maxBytes / 1024} KiB at ${placeOf(peer)}`
        fail(new PeerFailure('invalid', what))
      } else if (chunks.length > FEW_PIECES + length / PIECE_BYTES) {
        fail(strangeAnswer(peer, `it sends ${length} bytes in ${chunks.length} pieces`))
      }
    })
    response.once('end', () => whole.resolve(Buffer.concat(chunks, length)))
    response.once('error', (cause) => whole.reject(signal.aborted ? cause : failureOf(peer, cause)))
    return whole.promise
  }
}

/** Closes the connection, and leaves what has come of it unread. */
function stop(call: ClientRequest): void {
  const { socket } = call
  if (socket !== null) stopParsing(socket)
  call.destroy()
}
