// Parses a YAML file, and finds the line and column of each part of it for error messages. What the file means is not known
// here.
import { type Document, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import { describeProblem, excessIn, repeatedKeyIn, type TextProblem } from './bounded-yaml.ts'

/** Far more than a file of metrics has, and less than a second. */
const MAX_TOKENS = 100_000

/** A path through maps and lists. */
export type Path = readonly PropertyKey[]

/** A parsed file. */
export interface YamlSource {
  readonly kind: 'parsed'
  readonly value: unknown
  /**
   * The place of a value as `file:line:column`; for a value that is not in the file, that of the closest part around it.
   *
   * @param offset the offset of a character in the value, if the value is a text
   */
  placeOf(path: Path, offset?: number): string
}

type YamlReading = YamlSource | { readonly kind: 'broken'; readonly problem: string }

/** Parses a file of one YAML document. */
export function parseYaml(text: string, file: string): YamlReading {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1)
  const placeAt = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const broken = (problem: TextProblem): YamlReading => {
    return { kind: 'broken', problem: describeProblem(problem, placeAt) }
  }
  const excess = excessIn(text, MAX_TOKENS)
  if (excess !== undefined) return broken(excess)
  const options = { prettyErrors: false, stringKeys: true, uniqueKeys: false }
  const tree = parseDocument(text, options)
  const error = tree.errors[0] ?? repeatedKeyIn(tree)
  if (error !== undefined) return broken(error)
  try {
    const value: unknown = tree.toJS()
    const placeOf = (path: Path, offset = 0) => placeAt(offsetOf(tree, text, { path, offset }))
    return { kind: 'parsed', value, placeOf }
  } catch (cause) {
    // The library throws it for an unknown alias, and for too many aliases.
    if (!(cause instanceof ReferenceError)) throw cause
    return { kind: 'broken', problem: `${file}: ${cause.message}` }
  }
}

interface Target {
  readonly path: Path
  readonly offset: number
}

function offsetOf(tree: Document.Parsed, text: string, { path, offset }: Target): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = tree.getIn(path.slice(0, length), true)
    if (!isNode(node) || !node.range) continue
    const [start, end] = node.range
    const isWhole = length === path.length && isScalar(node) && typeof node.value === 'string'
    if (!isWhole || offset === 0) return isWhole ? textStartOf(text, node) : start
    const source = text.slice(0, end)
    return (
      locate(source, { from: textStartOf(text, node), value: String(node.value), offset }) ?? start
    )
  }
  return tree.contents?.range[0] ?? 0
}

/** Where the text of a scalar begins: after its quote, or in the line below `|` or `>`. */
function textStartOf(text: string, node: unknown): number {
  if (!isScalar(node) || !node.range) return 0
  const [start] = node.range
  if (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') return start + 1
  if (node.type !== 'BLOCK_FOLDED' && node.type !== 'BLOCK_LITERAL') return start
  const below = text.indexOf('\n', start) + 1
  return below + text.slice(below).search(/\S|$/)
}

/**
 * Finds the character of a scalar's value in its source. YAML changes white space, and the source has more characters, for
 * escapes; all other characters are in both, in the same order.
 */
function locate(
  source: string,
  {
    from,
    value,
    offset,
  }: { readonly from: number; readonly value: string; readonly offset: number },
): number | undefined {
  let at = from
  for (const character of value.slice(0, offset).replace(/\s/g, '')) {
    at = source.indexOf(character, at) + character.length
    if (at < from) return undefined
  }
  const [next = ''] = value.slice(offset).trimStart()
  const found = source.indexOf(next, at)
  return found < 0 ? undefined : found
}
