// Bytes of the input as text: UTF-8, or a sentence that says where they are none and what they seem to be. Pure.
import { isUtf8 } from 'node:buffer'
import { Source } from './source.ts'

export type Decoded =
  | { readonly kind: 'text'; readonly text: string }
  /** With the name of the file, and the place if it is one of few. */
  | { readonly kind: 'problem'; readonly problem: string }

/** How text of Unicode begins that is not UTF-8: with a byte order mark, or with a Latin character, whose other bytes are zero. */
const BEGINNINGS = [
  {
    encoding: 'UTF-32',
    marks: ['fffe0000', '0000feff'],
    latin: /^(?:000000(?!00)..|(?!00)..000000)$/,
  },
  {
    encoding: 'UTF-16, which ">" of Windows PowerShell writes',
    marks: ['fffe', 'feff'],
    latin: /^(?:00(?!00)..|(?!00)..00)/,
  },
] as const

/** @returns `undefined` if it may be UTF-8 */
function otherUnicode(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 4)).toString('hex')
  return BEGINNINGS.find(({ marks, latin }) => {
    return marks.some((mark) => start.startsWith(mark)) || latin.test(start)
  })?.encoding
}

/** @param name of the file, in messages */
export function decodeUtf8(bytes: Uint8Array, name: string): Decoded {
  const other = otherUnicode(bytes)
  if (other !== undefined) {
    return { kind: 'problem', problem: `Cannot read ${name}: expected UTF-8, got ${other}` }
  }
  if (isUtf8(bytes)) return { kind: 'text', text: textOf(bytes) }
  const at = firstInvalid(bytes)
  const before = textOf(bytes.subarray(0, at))
  const byte = `0x${(bytes[at] ?? 0).toString(16).padStart(2, '0')}`
  const hint = hasNoControls(bytes)
    ? 'is it Latin-1? Convert it, for example with iconv -f LATIN1 -t UTF-8'
    : 'is it text?'
  const place = new Source(name, before).placeOf(before.length)
  return { kind: 'problem', problem: `${place}: expected UTF-8, got the byte ${byte}: ${hint}` }
}

/** Without copying. */
function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString()
}

/** A character of UTF-8 has no more bytes. */
const MAX_BYTES = 4

/** The offset of the first byte that is in no character. */
function firstInvalid(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length) {
    const length = lengthAt(bytes, at)
    if (length === undefined) return at
    at += length
  }
  return at
}

/** How many bytes the character has that begins there; `undefined` if none does. */
function lengthAt(bytes: Uint8Array, at: number): number | undefined {
  if ((bytes[at] ?? 0) < 0x80) return 1
  for (let length = 2; length <= MAX_BYTES; length += 1) {
    if (isUtf8(bytes.subarray(at, at + length))) return length
  }
  return undefined
}

/** Without control characters it is text that somebody wrote, in an encoding of one byte for each character. */
function hasNoControls(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)
}
