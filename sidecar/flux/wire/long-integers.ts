// Keeps the digits of integers beyond 2^53, which JSON.parse would round: before it they become strings that nobody else can
// write, after it they become bigints. A reviver that does the same takes ten times as long. One pass, whatever the text is.
import { randomUUID } from 'node:crypto'

/**
 * An integer of 16 or more digits can exceed 2^53, and `JSON.parse` would round it. Job ids are this large from the
 * seventh day of an instance on (RFC 19).
 */
const LONG = 16
const FIRST_UNSAFE = '9007199254740992'

/** No text from outside begins with it. */
const MARK = `${randomUUID().slice(-12)}:`
const FIRST_OF_MARK = MARK.charCodeAt(0)
const OPENING = `"${MARK}`

const [ZERO, NINE, QUOTE, MINUS] = [0x30, 0x39, 0x22, 0x2d]
const [COMMA, COLON, OPEN, CLOSE, END] = [0x2c, 0x3a, 0x5b, 0x5d, 0x7d]

/**
 * The text with each integer beyond ±(2^53 − 1) as a marked string; `undefined` if there is none. A text that is no JSON stays
 * none. So many digits in a row cover a position that is a multiple of {@link LONG}: only these positions are looked at.
 */
export function markIntegers(text: string): string | undefined {
  const strings = new Strings(text)
  let marked = ''
  let copied = 0
  for (let at = 0; at < text.length; at += LONG) {
    if (!isDigit(text, at)) continue
    let first = at
    while (isDigit(text, first - 1)) first -= 1
    let end = at + 1
    while (isDigit(text, end)) end += 1
    if (end - first < LONG) continue
    at = end - (end % LONG)
    const start = text.charCodeAt(first - 1) === MINUS ? first - 1 : first
    if (!isUnsafe(text, first, end) || !isValue(text, start, end)) continue
    if (isValueOfKey(text, start)) strings.skipTo(end)
    else if (strings.has(start)) continue
    marked += `${text.slice(copied, start)}${OPENING}${text.slice(start, end)}"`
    copied = end
  }
  return copied === 0 ? undefined : marked + text.slice(copied)
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= ZERO && code <= NINE
}

function isUnsafe(text: string, first: number, end: number): boolean {
  const digit = text.charCodeAt(first)
  // A number with a leading zero is no JSON.
  if (end - first > LONG) return digit !== ZERO
  return digit === NINE && text.slice(first, end) >= FIRST_UNSAFE
}

/** Whether it is an integer and not a part of one, if it is not in a string. */
function isValue(text: string, start: number, end: number): boolean {
  const before = text.charCodeAt(start - 1)
  if (before !== COLON && before !== COMMA && before !== OPEN && !isSpace(before)) return false
  let next = end
  while (isSpace(text.charCodeAt(next))) next += 1
  const after = text.charCodeAt(next)
  return after === COMMA || after === CLOSE || after === END
}

/** White space of JSON; vertical tabs and form feeds too, which no JSON has outside of strings. */
function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}

/**
 * Whether `"KEY":` stands before it, with a letter or digit at the end of the key, as before all job ids. Such a quote is
 * neither escaped nor the first of a string, so it ends the key.
 */
function isValueOfKey(text: string, start: number): boolean {
  if (text.charCodeAt(start - 1) !== COLON || text.charCodeAt(start - 2) !== QUOTE) return false
  const letter = text.charCodeAt(start - 3) | 0x20
  return (letter >= 0x61 && letter <= 0x7a) || isDigit(text, start - 3)
}

/** Where the strings of a JSON text are, asked in ascending order. */
class Strings {
  readonly #text: string
  /** Outside of strings, and the end of what is known. */
  #outside = 0
  /** The first quote from there on. */
  #quote = -1

  constructor(text: string) {
    this.#text = text
  }

  /** This position is outside of strings. */
  skipTo(position: number): void {
    this.#outside = position
  }

  has(position: number): boolean {
    if (this.#quote < this.#outside) this.#quote = this.#find(this.#outside)
    while (this.#quote < position) {
      let close = this.#find(this.#quote + 1)
      while (close < this.#text.length && this.#isEscaped(close)) close = this.#find(close + 1)
      this.#outside = close + 1
      this.#quote = this.#find(this.#outside)
    }
    return position < this.#outside
  }

  #find(from: number): number {
    const at = this.#text.indexOf('"', from)
    return at < 0 ? this.#text.length : at
  }

  #isEscaped(quote: number): boolean {
    let first = quote
    while (this.#text[first - 1] === '\\') first -= 1
    return (quote - first) % 2 === 1
  }
}

/** Replaces marked strings in a value by integers. */
export function restoreIntegers(value: unknown): unknown {
  if (typeof value === 'string') return isMarked(value) ? BigInt(value.slice(MARK.length)) : value
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) restoreAt(value, index)
  } else if (isObject(value)) {
    for (const key in value) restoreAt(value, key)
  }
  return value
}

function restoreAt<Key extends string | number>(parts: Record<Key, unknown>, key: Key): void {
  const part = parts[key]
  if (typeof part === 'string') {
    if (isMarked(part)) parts[key] = restoreIntegers(part)
  } else if (typeof part === 'object') restoreIntegers(part)
}

function isMarked(text: string): boolean {
  return text.charCodeAt(0) === FIRST_OF_MARK && text.startsWith(MARK)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
