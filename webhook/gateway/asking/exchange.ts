// One question to one peer over HTTP/1.1: sends it, reads the whole answer within bounds. Does not judge what the answer says.
import { type IncomingMessage, request } from 'node:http'
import type { Peer } from '../peers/peer.ts'
import type { ConnectionPool } from './connection-pool.ts'
import { codeOf, failureOf, PeerFailure, placeOf } from './peer-failure.ts'

const MAX_HEADER_BYTES = 16 * 1024

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
  readonly signal: AbortSignal
}

/**
 * Asks once; twice if the peer has closed a kept connection just when it was used again: then it has not read the question,
 * and reading a metric twice does no harm.
 *
 * @throws PeerFailure; the abort of the signal
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
  const { pool, peer, path, headers, maxBytes, signal } = options
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
  call.on('error', (cause) => {
    if (signal.aborted) return reject(cause)
    const isClosed = ['ECONNRESET', 'EPIPE'].includes(codeOf(cause) ?? '')
    const isOutdated = isClosed && call.reusedSocket
    reject(isOutdated ? new Outdated('closed', { cause }) : failureOf(peer, cause))
  })
  call.end()
  const response = await promise
  return { code: response.statusCode ?? 0, headers: response.headers, body: await read(response) }

  async function read(response: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = []
    let length = 0
    try {
      for await (const chunk of response) {
        chunks.push(chunk)
        length += chunk.length
        if (length > maxBytes) break
      }
    } catch (cause) {
      throw signal.aborted ? cause : failureOf(peer, cause)
    }
    if (length <= maxBytes) return Buffer.concat(chunks, length)
    throw new PeerFailure('invalid', `answers more than ${maxBytes / 1024} KiB at ${placeOf(peer)}`)
  }
}
