// Flux messages (RFC 3): the parts of a frame's body ↔ a value. Payloads stay bytes: payload.ts decodes them.
import { ERRNO, FluxError } from '../errors.ts'

/** Bits of a message's flags byte. */
export const FLAG = {
  topic: 0x01,
  payload: 0x02,
  noresponse: 0x04,
  route: 0x08,
  upstream: 0x10,
  private: 0x20,
  streaming: 0x40,
  user1: 0x80,
} as const

/** The `nodeid` that means the nearest broker that has the service, from this one up to rank 0 (RFC 6). */
export const NODEID_ANY = 0xffffffff

/** The `userid` that means "not set": the broker fills in the user id of the client (RFC 12). */
export const USERID_UNKNOWN = 0xffffffff

interface Envelope {
  /** All eight bits as on the wire, see {@link FLAG}. `encodeMessage` sets `topic` and `payload` from these fields. */
  readonly flags: number
  /** Numeric user id stamped by a broker. */
  readonly userid: number
  /** Bits: 1 owner, 2 user (guest), 4 local, 8 admin (RFC 12). */
  readonly rolemask: number
  /** Route stack: one opaque id for each hop. It is on the wire only with {@link FLAG}.route. */
  readonly routes: readonly string[]
  /** Service and method, e.g. `resource.sched-status`. RFC 3 ends it with a NUL. On this socket there is none. */
  readonly topic: string | undefined
  readonly payload: Buffer | undefined
}

export interface RequestMessage extends Envelope {
  readonly type: 'request'
  readonly nodeid: number
  readonly matchtag: number
}

export interface ResponseMessage extends Envelope {
  readonly type: 'response'
  /** 0, or a Linux error number. */
  readonly errnum: number
  readonly matchtag: number
}

export interface EventMessage extends Envelope {
  readonly type: 'event'
  /** Counts all events of the instance. A subscriber to some of them sees gaps. */
  readonly sequence: number
}

interface ControlMessage extends Envelope {
  readonly type: 'control'
  readonly controlType: number
  readonly status: number
}

/** A message of any of the four types of RFC 3. */
export type Message = RequestMessage | ResponseMessage | EventMessage | ControlMessage

const TYPES = { request: 1, response: 2, event: 4, control: 8 } as const

const PROTO_MAGIC = 0x8e
const PROTO_VERSION = 1
const PROTO_BYTES = 20

/** A size of 255 or more is written as 0xff and a u32. */
const LONG_PART = 0xff

/** The depth of the overlay network limits the hops of a message to a few dozen. One frame could hold 10⁸ routes. */
const MAX_ROUTES = 256

/**
 * Decodes the body of a frame.
 *
 * ```
 * body  = [ route* empty ] [ topic ] [ payload ] proto      each a part: size, then that many bytes
 * size  = u8 0…254 | 0xff u32
 * proto = 8e 01 type flags userid:u32 rolemask:u32 aux1:u32 aux2:u32      big-endian (RFC 3)
 * ```
 *
 * The payload shares memory with `body`.
 *
 * @throws FluxError `FLUX_PROTOCOL`, with the part that is malformed.
 */
export function decodeMessage(body: Buffer): Message {
  const proto = decodeProto(body)
  const parts = new PartReader(body.subarray(0, body.length - PROTO_BYTES - 1))
  const routes = proto.flags & FLAG.route ? readRoutes(parts) : []
  const topic = proto.flags & FLAG.topic ? parts.read('topic').toString('latin1') : undefined
  const payload = proto.flags & FLAG.payload ? parts.read('payload') : undefined
  parts.end()
  const { flags, userid, rolemask, aux1, aux2 } = proto
  const envelope = { flags, userid, rolemask, routes, topic, payload }
  switch (proto.type) {
    case TYPES.request:
      return { type: 'request', ...envelope, nodeid: aux1, matchtag: aux2 }
    case TYPES.response:
      return { type: 'response', ...envelope, errnum: aux1, matchtag: aux2 }
    case TYPES.event:
      return { type: 'event', ...envelope, sequence: aux1 }
    case TYPES.control:
      return { type: 'control', ...envelope, controlType: aux1, status: aux2 }
    default:
      throw broken('proto block', `expected type 1, 2, 4 or 8, got ${proto.type}`)
  }
}

/**
 * What a message that was too large to be kept becomes: without topic and payload, and a response fails with EMSGSIZE. Its
 * matchtag is in the proto block, which is the end of the message.
 */
export function shortenMessage(end: Buffer): Buffer {
  const body = Buffer.from(end)
  const proto = body.subarray(body.length - PROTO_BYTES)
  proto[3] = 0
  if (proto[2] === TYPES.response) proto.writeUInt32BE(ERRNO.EMSGSIZE, 12)
  return body
}

/** Encodes a message as the body of a frame; the inverse of {@link decodeMessage}. */
export function encodeMessage(message: Message): Buffer {
  const parts: Buffer[] = []
  let flags = message.flags & ~(FLAG.topic | FLAG.payload)
  if (flags & FLAG.route) {
    for (const route of message.routes) pushPart(parts, Buffer.from(route, 'latin1'))
    pushPart(parts, Buffer.alloc(0))
  }
  if (message.topic !== undefined) {
    flags |= FLAG.topic
    pushPart(parts, Buffer.from(message.topic, 'latin1'))
  }
  if (message.payload !== undefined) {
    flags |= FLAG.payload
    pushPart(parts, message.payload)
  }
  const [aux1, aux2] = auxiliaries(message)
  const proto = Buffer.alloc(PROTO_BYTES)
  proto[0] = PROTO_MAGIC
  proto[1] = PROTO_VERSION
  proto[2] = TYPES[message.type]
  proto[3] = flags
  proto.writeUInt32BE(message.userid, 4)
  proto.writeUInt32BE(message.rolemask, 8)
  proto.writeUInt32BE(aux1, 12)
  proto.writeUInt32BE(aux2, 16)
  pushPart(parts, proto)
  return Buffer.concat(parts)
}

function auxiliaries(message: Message): [number, number] {
  switch (message.type) {
    case 'request':
      return [message.nodeid, message.matchtag]
    case 'response':
      return [message.errnum, message.matchtag]
    case 'event':
      return [message.sequence, 0]
    case 'control':
      return [message.controlType, message.status]
  }
}

function decodeProto(body: Buffer) {
  const size = body[body.length - PROTO_BYTES - 1]
  if (size !== PROTO_BYTES) {
    throw broken('proto block', `expected a last part of ${PROTO_BYTES} bytes, got size ${size}`)
  }
  const proto = body.subarray(body.length - PROTO_BYTES)
  if (proto[0] !== PROTO_MAGIC || proto[1] !== PROTO_VERSION) {
    throw broken('proto block', `expected 8e01, got ${proto.toString('hex', 0, 2)}`)
  }
  return {
    type: proto.readUInt8(2),
    flags: proto.readUInt8(3),
    userid: proto.readUInt32BE(4),
    rolemask: proto.readUInt32BE(8),
    aux1: proto.readUInt32BE(12),
    aux2: proto.readUInt32BE(16),
  }
}

function readRoutes(parts: PartReader): string[] {
  const routes: string[] = []
  for (;;) {
    const route = parts.read('route delimiter')
    if (route.length === 0) return routes
    if (routes.length === MAX_ROUTES) throw broken('routes', `expected at most ${MAX_ROUTES}`)
    routes.push(route.toString('latin1'))
  }
}

/** Reads length-prefixed parts from a buffer. Every length is checked against the bytes that are left. */
class PartReader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  read(what: string): Buffer {
    const size = this.#readSize(what)
    const start = this.#offset
    if (size > this.#bytes.length - start) {
      throw broken(what, `expected ${size} bytes, got ${this.#bytes.length - start}`)
    }
    this.#offset += size
    return this.#bytes.subarray(start, start + size)
  }

  end(): void {
    const rest = this.#bytes.length - this.#offset
    if (rest > 0) throw broken('message', `${rest} bytes before the proto block belong to no part`)
  }

  #readSize(what: string): number {
    const size = this.#bytes[this.#offset]
    if (size === undefined) throw broken(what, 'expected a part, got the proto block')
    this.#offset += 1
    if (size !== LONG_PART) return size
    if (this.#bytes.length - this.#offset < 4) throw broken(what, 'its size is cut off')
    const long = this.#bytes.readUInt32BE(this.#offset)
    this.#offset += 4
    return long
  }
}

function pushPart(parts: Buffer[], bytes: Buffer): void {
  if (bytes.length < LONG_PART) {
    parts.push(Buffer.from([bytes.length]), bytes)
    return
  }
  const size = Buffer.allocUnsafe(5)
  size[0] = LONG_PART
  size.writeUInt32BE(bytes.length, 1)
  parts.push(size, bytes)
}

function broken(what: string, why: string): FluxError {
  return new FluxError('FLUX_PROTOCOL', `Cannot decode ${what}: ${why}`)
}
