// Reads the body of a request, up to a maximum and as far as the server has memory for it. Does not parse it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { badRequest, tooLarge, tooManyRequests } from '../status.ts'
import type { BodyBudget } from './body-budget.ts'

const NO_MEMORY = 'Cannot read the body: the bodies of other requests take the memory for it'

/** By how much the memory of a body grows. */
const STEP_BYTES = 4 * 2 ** 10

const USUAL_BYTES = 64 * 2 ** 10

/** A request and the response to it, as koa's context has them. */
export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

export interface BodyOptions {
  readonly maxBytes: number
  readonly budget: BodyBudget
}

/**
 * Reads the bytes of a body. They are copied to one place: thousands of tiny pieces would take far more memory.
 *
 * @throws StatusError 413 as soon as it is longer than `maxBytes`, 429 if the budget is used up: the rest is not read, and
 *   the connection must end after the answer; 400 if the client closes the connection in the middle
 */
export async function readBody({ req, res }: Exchange, options: BodyOptions): Promise<Buffer> {
  const { maxBytes, budget } = options
  const share = budget.open(req, res)
  // Address space for the whole body. It takes memory only as far as the body has come, and nothing is copied as it grows.
  const maxByteLength = Math.min(Number(req.headers['content-length'] ?? maxBytes), maxBytes)
  const memory = new ArrayBuffer(0, { maxByteLength })
  const bytes = Buffer.from(memory)
  let length = 0
  // By default, leaving the loop closes the connection, and the client would never see the reason.
  const body = req.iterator({ destroyOnReturn: false })
  try {
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('Cannot read a body that has an encoding')
      const needed = length + chunk.length
      if (needed > maxBytes) {
        throw tooLarge(`Cannot read the body: it has more than ${maxBytes} bytes`)
      }
      if (needed > memory.byteLength) {
        const size = Math.min(Math.ceil(needed / STEP_BYTES) * STEP_BYTES, maxByteLength)
        if (!share.grow(size - memory.byteLength)) throw tooManyRequests(NO_MEMORY)
        memory.resize(size)
      }
      chunk.copy(bytes, length)
      length = needed
    }
  } catch (cause) {
    if (!req.destroyed) throw cause
    throw badRequest('Cannot read the body: the client closed the connection')
  }
  const whole = bytes.subarray(0, length)
  // The bytes of memory that can grow are slow to read. Of a usual body a copy costs nothing beside that.
  return length <= USUAL_BYTES ? Buffer.from(whole) : whole
}
