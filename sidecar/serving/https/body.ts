// Reads the body of a request, up to a maximum. Does not parse it.
import type { IncomingMessage } from 'node:http'
import { badRequest, tooLarge } from '../status.ts'

/**
 * Reads the bytes of a body.
 *
 * @throws StatusError 413 as soon as it is longer than `maxBytes`: the rest is not read, and the connection must end
 * after the answer; 400 if the client closes the connection in the middle
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  // By default, leaving the loop closes the connection, and the client would never see the reason.
  const body = request.iterator({ destroyOnReturn: false })
  try {
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('Cannot read a body that has an encoding')
      length += chunk.length
      if (length > maxBytes) break
      chunks.push(chunk)
    }
  } catch (cause) {
    if (!request.destroyed) throw cause
    throw badRequest('Cannot read the body: the client closed the connection')
  }
  if (length > maxBytes) throw tooLarge(`Cannot read the body: it has more than ${maxBytes} bytes`)
  return Buffer.concat(chunks, length)
}
