// The characters of texts with ids (RFC 22, RFC 29) one by one, and the errors that say what was expected where. The
// grammars are those of idset.ts and hostlist.ts.
import { FluxError } from '../errors.ts'

/** Flux keeps ids in a C `unsigned int`. */
const MAX_ID = 2 ** 32 - 1

/** Enough to recognise a text by in a log line; a real one can have thousands of characters. */
const SHOWN_CHARACTERS = 40

/**
 * Longest text that is read, in characters: room for 100,000 host names of 40 characters, and read in the 50 ms for which
 * the event loop may be held up. A message could hold sixty times as much.
 */
const MAX_LENGTH = 2 ** 22

const ZERO = '0'.charCodeAt(0)

/** A place in a text with ids, going forward only. */
export class IdScanner {
  readonly #kind: string
  readonly #text: string
  #position = 0
  #idStart = 0

  /** `kind` is the word for the text in messages. */
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

  /** Steps over `character` if it comes next, and says whether it did. */
  take(character: string): boolean {
    if (!this.isAt(character)) return false
    this.#position += 1
    return true
  }

  /** Steps over the characters that `isWanted` accepts by their code, and returns them. */
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

  /** The number of digits of the id read last. */
  get idWidth(): number {
    return this.#position - this.#idStart
  }

  /** Whether the id read last was written with leading zeros. */
  get isPadded(): boolean {
    return this.idWidth > 1 && this.#text.charCodeAt(this.#idStart) === ZERO
  }

  /** The error for what comes next. */
  expected(what: string): FluxError {
    return this.#error(what, this.#position)
  }

  /** The error for the id read last. */
  expectedId(what: string): FluxError {
    return this.#error(what, this.#idStart)
  }

  #error(what: string, position: number): FluxError {
    const message = `Cannot parse ${this.#kind} ${quote(this.#text)}: expected ${what} at position ${position}`
    return new FluxError('FLUX_PROTOCOL', message)
  }
}

/** A text from outside in quotes, for a message: escaped, so that it stays on one line, and shortened. */
export function quote(text: string): string {
  return JSON.stringify(
    text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text,
  )
}
