// Parses label selectors by the grammar of apimachinery's labels.Parse, into requirements or a 400 with the position and
// what was expected. The meaning of requirements is in selector.ts.
//
//   selector    = "" | requirement { "," requirement }
//   requirement = key | "!" key | key ("=" | "==" | "!=" | ">" | "<") value | key ("in" | "notin") "(" values ")"
//   values      = value { "," value }
//
// A value may be empty. In the place of a key or a value, `in` and `notin` are ordinary words.
import { badRequest, type StatusError } from '#serving/status.ts'
import { quote } from '#serving/text.ts'
import { isLabelKey, isLabelValue } from './label.ts'
import { type Token, type TokenKind, tokenize } from './lexer.ts'

export type Operator = '=' | '!=' | 'in' | 'notin' | 'exists' | '!' | '>' | '<'

export interface Requirement {
  readonly key: string
  readonly operator: Operator
  /** Sorted, without repetition. One value for `=`, `!=`, `>`, `<`; none for `exists` and `!`. */
  readonly values: readonly string[]
}

/** Requirements that must all hold, sorted by key. Without any, everything is selected. */
export type Selector = readonly Requirement[]

/** Limits the work of a request; real selectors are much shorter. */
const MAX_SELECTOR_LENGTH = 4096

/** The greatest int64: `>` and `<` compare values as int64. */
const MAX_INTEGER = 2n ** 63n - 1n

/**
 * @param text e.g. `queue in (batch, debug), !gpu`
 * @param parameter the name of the query parameter, for the error message
 * @throws StatusError 400 with the 1-based position and what was expected there
 */
export function parseSelector(text: string, parameter = 'labelSelector'): Selector {
  if (text.length > MAX_SELECTOR_LENGTH) {
    throw badRequest(
      `Cannot parse ${parameter}: expected at most ${MAX_SELECTOR_LENGTH} characters, got ${text.length}`,
    )
  }
  return new Parser(text, parameter).parse()
}

class Parser {
  readonly #text: string
  readonly #parameter: string
  readonly #tokens: readonly Token[]
  #next = 0

  constructor(text: string, parameter: string) {
    this.#text = text
    this.#parameter = parameter
    this.#tokens = tokenize(text)
  }

  parse(): Selector {
    const requirements: Requirement[] = []
    if (this.#peek().kind === 'end') return requirements
    for (;;) {
      requirements.push(this.#requirement())
      const token = this.#take()
      if (token.kind === 'end') return requirements.sort(byKey)
      if (token.kind !== ',') throw this.#unexpected(token, '"," or the end')
    }
  }

  #requirement(): Requirement {
    if (this.#peek().kind === '!') {
      this.#take()
      return { key: this.#key('a label key'), operator: '!', values: [] }
    }
    const key = this.#key('a label key or "!"')
    const { kind } = this.#peek()
    if (kind === 'end' || kind === ',') return { key, operator: 'exists', values: [] }
    const operator = this.#operator()
    switch (operator) {
      case 'in':
      case 'notin':
        return { key, operator, values: this.#values() }
      case '>':
      case '<':
        return { key, operator, values: [this.#integer()] }
      default:
        return { key, operator, values: [this.#value()] }
    }
  }

  #key(expected: string): string {
    const token = this.#take()
    if (!isWord(token.kind)) throw this.#unexpected(token, expected)
    if (!isLabelKey(token.text)) throw this.#unexpected(token, 'a qualified label key')
    return token.text
  }

  #operator(): Exclude<Operator, 'exists' | '!'> {
    const token = this.#take()
    switch (token.kind) {
      case '==':
        return '='
      case '=':
      case '!=':
      case 'in':
      case 'notin':
      case '>':
      case '<':
        return token.kind
      default:
        throw this.#unexpected(token, '"=", "==", "!=", "in", "notin", ">" or "<"')
    }
  }

  #values(): readonly string[] {
    const open = this.#take()
    if (open.kind !== '(') throw this.#unexpected(open, '"("')
    const values = new Set<string>()
    for (;;) {
      values.add(this.#value())
      const token = this.#take()
      if (token.kind === ')') return [...values].sort()
      if (token.kind !== ',') throw this.#unexpected(token, '"," or ")"')
    }
  }

  /** A value; the empty one if there is none before the next delimiter. */
  #value(): string {
    const token = this.#peek()
    if (!isWord(token.kind)) {
      if (token.kind === 'end' || token.kind === ',' || token.kind === ')') return ''
      throw this.#unexpected(token, 'a value')
    }
    if (!isLabelValue(token.text)) throw this.#unexpected(token, 'a label value')
    return this.#take().text
  }

  #integer(): string {
    const token = this.#take()
    if (!isInteger(token.text)) throw this.#unexpected(token, 'an integer')
    return token.text
  }

  #peek(): Token {
    const token = this.#tokens[this.#next]
    if (token === undefined) throw new RangeError('Cannot read past the end of a selector')
    return token
  }

  #take(): Token {
    const token = this.#peek()
    if (token.kind !== 'end') this.#next += 1
    return token
  }

  #unexpected({ kind, text, position }: Token, expected: string): StatusError {
    const found = kind === 'end' ? 'the end' : quote(text)
    return badRequest(
      `Cannot parse ${this.#parameter} ${quote(this.#text)}: expected ${expected} at position ${position}, found ${found}`,
    )
  }
}

function byKey(one: Requirement, other: Requirement): number {
  if (one.key === other.key) return 0
  return one.key < other.key ? -1 : 1
}

function isWord(kind: TokenKind): boolean {
  return kind === 'identifier' || kind === 'in' || kind === 'notin'
}

/** Whether Go's ParseInt accepts the text as int64; a label value cannot begin with a sign. */
export function isInteger(text: string): boolean {
  return /^[0-9]{1,63}$/.test(text) && BigInt(text) <= MAX_INTEGER
}
