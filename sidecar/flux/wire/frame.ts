// Frames of Flux's local connector (RFC 3 "message framing", as brokers implement it): bytes ↔ bodies of messages. The
// content of a body is in message.ts.
import { FluxError } from '../errors.ts'

/**
 * The first four bytes of a frame. RFC 3 prints `ff ee 00 12`. Brokers write the integer in host order, which is
 * little-endian on every machine that runs Flux, and drop a connection that sends the other order.
 */
const FRAME_MAGIC = 0x1200eeff

const FRAME_HEADER_BYTES = 8

/**
 * The largest body that is accepted or sent. The largest recorded answer has 52 MB (the job-manager journal of 100,000
 * jobs). Brokers have no limit. This one prevents that a corrupt length allocates 4 GiB.
 */
export const MAX_FRAME_BYTES = 256 * 1024 * 1024

/** The proto part with its length byte: the shortest message. */
const MIN_FRAME_BYTES = 21

/**
 * Puts a header before the body of a message: `12 00 ee ff`, then the body's length (u32, big-endian). RFC 3 says that
 * the length includes the header. In brokers it does not.
 *
 * @throws FluxError `FLUX_PROTOCOL` for a body that is empty or larger than {@link MAX_FRAME_BYTES}. A length of 0, or of
 * 0xfffffff8 and more, would kill the broker and with it every job.
 */
export function encodeFrame(body: Uint8Array): Buffer {
  checkLength(body.byteLength, 'encode')
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + body.byteLength)
  frame.writeUInt32BE(FRAME_MAGIC, 0)
  frame.writeUInt32BE(body.byteLength, 4)
  frame.set(body, FRAME_HEADER_BYTES)
  return frame
}

/** What becomes of bodies that are larger than the process has memory for. */
export interface Shortening {
  /** Larger bodies are not kept. */
  readonly maxBytes: number
  /** Makes a body of the end of one that was not kept: of its last {@link MIN_FRAME_BYTES} bytes. */
  shorten(end: Buffer): Buffer
}

/** Reassembles frames from a byte stream that may be split at any byte. */
export class FrameDecoder {
  readonly #shortening: Shortening | undefined
  #chunks: Buffer[] = []
  #buffered = 0
  #needed = FRAME_HEADER_BYTES
  #inBody = false
  /** Whether the body is dropped but for its end. */
  #isLarge = false

  constructor(shortening?: Shortening) {
    this.#shortening = shortening
  }

  /** Bytes of an incomplete frame, header included. Not 0 when a stream ended in the middle of a frame. */
  get pendingBytes(): number {
    return this.#inBody ? FRAME_HEADER_BYTES + this.#buffered : this.#buffered
  }

  /**
   * Takes the next bytes of the stream and yields the body of each frame that they complete. A body may share memory
   * with these chunks: use it before the next chunk, or copy it.
   *
   * @throws FluxError `FLUX_PROTOCOL` for a wrong magic or length, before memory is allocated for the frame. The rest of
   * the stream cannot be read.
   */
  *push(chunk: Buffer): Generator<Buffer, void> {
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    this.#dropBeginning()
    while (this.#buffered >= this.#needed) {
      const bytes = this.#take(this.#needed)
      if (this.#inBody) {
        this.#inBody = false
        this.#needed = FRAME_HEADER_BYTES
        yield this.#isLarge ? (this.#shortening?.shorten(bytes) ?? bytes) : bytes
        this.#isLarge = false
      } else {
        this.#needed = decodeHeader(bytes)
        this.#inBody = true
        this.#isLarge = this.#needed > (this.#shortening?.maxBytes ?? MAX_FRAME_BYTES)
        this.#dropBeginning()
      }
    }
  }

  /** Drops what is there of a large body, except its end. */
  #dropBeginning(): void {
    if (!this.#isLarge) return
    while (this.#buffered > 0 && this.#needed > MIN_FRAME_BYTES) {
      const [first = Buffer.alloc(0)] = this.#chunks
      const dropped = this.#take(Math.min(first.length, this.#needed - MIN_FRAME_BYTES))
      this.#needed -= dropped.length
    }
  }

  #take(length: number): Buffer {
    const [head] = this.#chunks
    if (head !== undefined && this.#chunks.length > 1 && head.length < length) {
      this.#chunks = [Buffer.concat(this.#chunks, this.#buffered)]
    }
    const first = this.#chunks[0] ?? Buffer.alloc(0)
    if (first.length > length) this.#chunks[0] = first.subarray(length)
    else this.#chunks.shift()
    this.#buffered -= length
    return first.subarray(0, length)
  }
}

function decodeHeader(header: Buffer): number {
  const magic = header.readUInt32BE(0)
  if (magic !== FRAME_MAGIC) {
    throw new FluxError(
      'FLUX_PROTOCOL',
      `Cannot decode frame: expected magic 1200eeff, got ${magic.toString(16).padStart(8, '0')}`,
    )
  }
  const length = header.readUInt32BE(4)
  checkLength(length, 'decode')
  return length
}

function checkLength(length: number, verb: 'encode' | 'decode'): void {
  if (length >= MIN_FRAME_BYTES && length <= MAX_FRAME_BYTES) return
  throw new FluxError(
    'FLUX_PROTOCOL',
    `Cannot ${verb} frame: expected a length from ${MIN_FRAME_BYTES} to ${MAX_FRAME_BYTES} bytes, got ${length}`,
  )
}
