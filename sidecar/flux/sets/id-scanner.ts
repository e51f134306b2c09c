// Reads texts with ids (RFC 22, RFC 29) character by character. Its errors say what was expected at which position. The
// grammars are in idset.ts and hostlist.ts.
import { FluxError } from '../errors.ts'

/** The largest id: Flux stores ids in a C `unsigned int`. */
const MAX_ID = 2 ** 32 - 1

/** A log line shows this many characters of a text. A real text can have thousands. */
const SHOWN_CHARACTERS = 40

/**
 * The longest text that is read, in characters: 100,000 host names of 40 characters. Reading it takes less than 50 ms, the
 * limit for blocking the event loop. A message could contain a text that is sixty times longer.
 */
const MAX_LENGTH = 2 ** 22

const ZERO = '0'.charCodeAt(0)

/** A position in a text with ids. It only moves forward. */
export class IdScanner {
  readonly #kind: string
  readonly #text: string
  #position = 0
  #idStart = 0

  /** @param kind the name of the text in errors, e.g. `idset` */
  constructor(kind: string, text: string) {
    this.#kind = kind
    this.#text = text
    if (text.length > MAX_LENGTH) throw this.#error('the end', MAX_LENGTH)
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#text.length
  }

  isAt(character: string): boolean {
    return this.#text.charCodeAt(this.#position) === character.charCodeAt(0)
  }

  /** Skips `character` if it is the next one. Returns whether it was. */
  take(character: string): boolean {
    if (!this.isAt(character)) return false
    this.#position += 1
    return true
  }

  /** Skips the characters whose code `isWanted` accepts, and returns them. */
  takeWhile(isWanted: (code: number) => boolean): string {
    const start = this.#position
    while (!this.isAtEnd && isWanted(this.#text.charCodeAt(this.#position))) this.#position += 1
    return this.#text.slice(start, this.#position)
  }

  /** Reads decimal digits. */
  takeId(): number {
    const text = this.#text
    const start = this.#position
    this.#idStart = start
    let position = start
    let id = 0
    for (; position < text.length; position += 1) {
      const digit = text.charCodeAt(position) - ZERO
      if (digit < 0 || digit > 9) break
      id = id * 10 + digit
      if (id > MAX_ID) throw this.expectedId(`an id of at most ${MAX_ID}`)
    }
    if (position === start) throw this.expected('a digit')
    this.#position = position
    return id
  }

  /** The number of digits of the last id. */
  get idWidth(): number {
    return this.#position - this.#idStart
  }

  /** Whether the last id has leading zeros. */
  get isPadded(): boolean {
    return this.idWidth > 1 && this.#text.charCodeAt(this.#idStart) === ZERO
  }

  /** The error for the next character. */
  expected(what: string): FluxError {
    return this.#error(what, this.#position)
  }

  /** The error for the last id. */
  expectedId(what: string): FluxError {
    return this.#error(what, this.#idStart)
  }

  #error(what: string, position: number): FluxError {
    const message = `Cannot parse ${this.#kind} ${toOneLine(this.#text)}: expected ${what} at position ${position}`
    return new FluxError('FLUX_PROTOCOL', message)
  }
}

/** A text from outside for a message: quoted, shortened, and escaped so that it stays on one line. */
export function toOneLine(text: string): string {
  return JSON.stringify(
    text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text,
  )
}
