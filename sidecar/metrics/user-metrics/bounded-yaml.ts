// Reads YAML in bounded time: the yaml library calls itself for what is inside, takes its time for each sign, and compares each key
// of a map with all before it. Also used by the command line. Pure.
import {
  type CST,
  isNode,
  isScalar,
  Lexer,
  type Node,
  Parser,
  type Document as Tree,
  visit,
  type YAMLMap,
} from 'yaml'
import { printable, shorten } from '#serving/text.ts'

/** The library's stack has room for some 700. */
export const MAX_DEPTH = 100

export const TOO_DEEP = `expected no more than ${MAX_DEPTH} values inside each other`

/** What is wrong at an offset of the text. */
export interface TextProblem {
  readonly pos: readonly [number, number]
  readonly message: string
  /** The offset of what is there a second time. */
  readonly firstAt?: number
}

/** `PLACE: what is wrong`. */
export function describeProblem(
  { pos, message, firstAt }: TextProblem,
  placeOf: (offset: number) => string,
): string {
  const first = firstAt === undefined ? '' : `, first at ${placeOf(firstAt)}`
  return `${placeOf(pos[0])}: ${message}${first}`
}

/** There is more than the library can read in time, or at all. */
export class YamlExcess extends Error implements TextProblem {
  readonly pos: readonly [number, number]

  constructor(offset: number, message: string) {
    super(message)
    this.name = 'YamlExcess'
    this.pos = [offset, offset]
  }
}

/** The documents of a text and what is between them, for the composer of the library. @throws YamlExcess */
export function* boundedTokens(text: string, maxTokens: number): Generator<CST.Token> {
  // Counted before the parser sees any: what is made of them takes six times as long, and a hundred times the room of the text.
  const end = endOf(text, maxTokens)
  if (end !== undefined) throw new YamlExcess(end, tooLong(maxTokens))
  const parser = new Parser()
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme)
    if (parser.stack.length > MAX_DEPTH) throw new YamlExcess(parser.offset, TOO_DEEP)
  }
  yield* parser.end()
}

/** Marks that the lexer adds: of a document, of the end of a flow, and before a scalar. */
const MARKS: ReadonlySet<string> = new Set(['\x02', '\x18', '\x1f'])

/** Where a text has had so many words and signs, and one more; `undefined` if it has not. */
function endOf(text: string, maxTokens: number): number | undefined {
  let [count, offset] = [0, 0]
  for (const lexeme of new Lexer().lex(text)) {
    count += 1
    if (!MARKS.has(lexeme)) offset += lexeme.length
    if (count > maxTokens) return offset
  }
  return undefined
}

function tooLong(maxTokens: number): string {
  return `expected YAML of at most ${maxTokens.toLocaleString('en')} words and signs`
}

/** Whether a text is too much for the library. */
export function excessIn(text: string, maxTokens: number): TextProblem | undefined {
  try {
    for (const _ of boundedTokens(text, maxTokens));
    return undefined
  } catch (error) {
    if (error instanceof YamlExcess) return error
    throw error
  }
}

/** The first key that is twice in a map: for trees that were made without looking (`uniqueKeys: false`). */
export function repeatedKeyIn(tree: Tree.Parsed): TextProblem | undefined {
  let found: TextProblem | undefined
  visit(tree, {
    Map(_key, map) {
      found = repeatedKey(map)
      return found === undefined ? undefined : visit.BREAK
    },
  })
  return found
}

/** The first key that is there twice. */
export function repeatedKey({ items }: YAMLMap): TextProblem | undefined {
  const known = new Map<unknown, unknown>()
  for (const { key } of items) {
    const name = isScalar(key) ? key.value : key
    const first = known.get(name)
    if (isNode(first) && isNode(key)) {
      const [start, end] = rangeOf(key)
      const [firstAt] = rangeOf(first)
      return { pos: [start, end], message: describeRepeated(spell(key)), firstAt }
    }
    known.set(name, key)
  }
  return undefined
}

function rangeOf({ range }: Node): readonly [number, number] {
  const [start = 0, end = start] = range ?? []
  return [start, end]
}

/** @param key as it is in the text, without quotes */
export function describeRepeated(key: string): string {
  return `expected each key once, got "${printable(shorten(key))}" again`
}

function spell(key: Node): string {
  return String(isScalar(key) ? (key.source ?? key.value) : key)
}
