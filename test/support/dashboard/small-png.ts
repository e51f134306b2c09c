// Makes a screenshot small enough for a repository: a PNG of at most 256 colours instead of one with as many as there are. Reads what
// Chromium writes: 8 bits for each of red, green and blue, with or without alpha, not interlaced.
import { crc32, deflateSync, inflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const COLOURS = 256
/** Colours whose channels differ in so many of the last bits only are of one kind. */
const KIND_BITS = 5

interface Image {
  readonly width: number
  readonly height: number
  /** A number for each pixel: 0xRRGGBB. */
  readonly pixels: Uint32Array
}

/** The same picture with few colours. */
export function shrinkPng(png: Buffer): Buffer {
  const { width, height, pixels } = decode(png)
  const palette = paletteOf(pixels)
  const indexOf = nearest(palette)
  const rows = Buffer.alloc((width + 1) * height)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      rows[y * (width + 1) + 1 + x] = indexOf(pixels[y * width + x] ?? 0)
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3, 0, 0, 0], 8)
  const colours = Buffer.from(palette.flatMap(channelsOf))
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function decode(png: Buffer): Image {
  const parts: Buffer[] = []
  let [width, height, channels] = [0, 0, 3]
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const type = png.toString('latin1', at + 4, at + 8)
    const data = png.subarray(at + 8, at + 8 + length)
    if (type === 'IHDR') {
      ;[width, height] = [data.readUInt32BE(0), data.readUInt32BE(4)]
      channels = data[9] === 6 ? 4 : 3
    }
    if (type === 'IDAT') parts.push(data)
    at += length + 12
  }
  const bytes = unfilter(inflateSync(Buffer.concat(parts)), { stride: width * channels, channels })
  const pixels = new Uint32Array(width * height)
  for (let index = 0; index < pixels.length; index += 1) {
    pixels[index] = bytes.readUIntBE(index * channels, 3)
  }
  return { width, height, pixels }
}

/** PNG 1.2, chapter 6: each byte is the difference from its neighbours. */
function unfilter(
  data: Buffer,
  { stride, channels }: { readonly stride: number; readonly channels: number },
): Buffer {
  const rows = data.length / (stride + 1)
  const bytes = Buffer.alloc(rows * stride)
  for (let row = 0; row < rows; row += 1) {
    const filter = data[row * (stride + 1)] ?? 0
    for (let x = 0; x < stride; x += 1) {
      const at = row * stride + x
      const left = x < channels ? 0 : (bytes[at - channels] ?? 0)
      const up = row === 0 ? 0 : (bytes[at - stride] ?? 0)
      const corner = x < channels || row === 0 ? 0 : (bytes[at - stride - channels] ?? 0)
      const raw = data[row * (stride + 1) + 1 + x] ?? 0
      bytes[at] = raw + predict(filter, left, up, corner)
    }
  }
  return bytes
}

function predict(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left
  if (filter === 2) return up
  if (filter === 3) return (left + up) >> 1
  if (filter !== 4) return 0
  const estimate = left + up - corner
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(estimate - value))
  if (a === undefined || b === undefined || c === undefined) return 0
  return a <= b && a <= c ? left : b <= c ? up : corner
}

/** The most frequent one of each kind of colour first, so that a small green dot stays green; then the most frequent of the others. */
function paletteOf(pixels: Uint32Array): readonly number[] {
  const counts = new Map<number, number>()
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1)
  const byCount = [...counts].sort(([, one], [, other]) => other - one).map(([pixel]) => pixel)
  const kinds = new Map<string, number>()
  for (const pixel of byCount) {
    const kind = channelsOf(pixel)
      .map((value) => value >> KIND_BITS)
      .join()
    if (!kinds.has(kind)) kinds.set(kind, pixel)
  }
  return [...new Set([...kinds.values(), ...byCount])].slice(0, COLOURS)
}

function nearest(palette: readonly number[]): (pixel: number) => number {
  const known = new Map(palette.map((colour, index) => [colour, index]))
  const distance = (one: number, other: number) => {
    const others = channelsOf(other)
    return channelsOf(one).reduce((sum, value, i) => sum + (value - (others[i] ?? 0)) ** 2, 0)
  }
  return (pixel) => {
    const found = known.get(pixel)
    if (found !== undefined) return found
    let best = 0
    for (const [index, colour] of palette.entries()) {
      if (distance(pixel, colour) < distance(pixel, palette[best] ?? 0)) best = index
    }
    known.set(pixel, best)
    return best
  }
}

function channelsOf(pixel: number): readonly number[] {
  return [pixel >> 16, (pixel >> 8) & 0xff, pixel & 0xff]
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
