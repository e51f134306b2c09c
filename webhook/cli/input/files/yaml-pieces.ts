// The documents of a YAML text as kubectl reads it, one after the other. A document's tree is dropped when its value is known,
// and made again if a place in it is asked for: the trees of a large file take a hundred times its size.
import {
  Composer,
  isAlias,
  isMap,
  isNode,
  type Node,
  parseDocument,
  type Document as Tree,
  visit,
} from 'yaml'
import {
  boundedTokens,
  describeProblem,
  repeatedKey,
  type TextProblem,
  TOO_DEEP,
  YamlExcess,
} from '#metrics/user-metrics/bounded-yaml.ts'
import type { Path, Piece, Source } from './source.ts'

/** The limit of values from nested aliases: without one, a few lines can expand to billions of values. */
const MAX_ALIASES = 100

/** In one document. The library looks through all of it for each. */
const MAX_ALIAS_SIGNS = 200

/** Some 7 MB of what kubectl writes, 4 s and 600 MB, and again 4 s for a place in it; JSON takes a fiftieth of it. */
const MAX_TOKENS = 2_500_000

/**
 * YAML 1.1 as kubectl reads it: `yes` is true, 0777 is octal, but times and numbers such as `1:30` are text. All keys are
 * text.
 */
const DIALECT = {
  version: '1.1',
  stringKeys: true,
  // The library compares each key with all before it.
  uniqueKeys: false,
  prettyErrors: false,
  customTags: (tags) =>
    tags.filter(
      (tag) =>
        typeof tag === 'string' ||
        !(tag.tag === 'tag:yaml.org,2002:timestamp' || ('format' in tag && tag.format === 'TIME')),
    ),
} as const satisfies Parameters<typeof parseDocument>[1]

const TEMPLATE = 'is this a template? Render it first'

const WRITE_JSON = 'write it as JSON, which is read faster (kubectl get -o json)'

/** A document, or a sentence with its place. Documents without a value are left out. */
export type YamlReading = Piece | { readonly problem: string }

/** Reads the documents between two offsets. */
export function* yamlPieces(
  file: Source,
  start: number,
  end?: number,
  maxTokens = MAX_TOKENS,
): Generator<YamlReading> {
  const text = file.text.slice(start, end)
  try {
    const tokens = boundedTokens(text, maxTokens)
    for (const tree of new Composer(DIALECT).compose(tokens, false, text.length)) {
      const reading = readTree(file, start, tree)
      if (reading !== undefined) yield reading
    }
  } catch (error) {
    if (!(error instanceof YamlExcess)) throw error
    const problem = `${file.placeOf(start + error.pos[0])}: ${error.message}`
    yield { problem: error.message === TOO_DEEP ? problem : `${problem}: ${WRITE_JSON}` }
  }
}

function readTree(file: Source, start: number, tree: Tree.Parsed): YamlReading | undefined {
  const error = tree.errors[0] ?? problemIn(tree)
  if (error !== undefined) {
    const placeOf = (at: number) => file.placeOf(start + at)
    const message = messageOf(error, lineAt(file.text, start + error.pos[0]))
    return { problem: describeProblem({ ...error, message }, placeOf) }
  }
  if (tree.contents === null) return undefined
  const [from, , to] = tree.range
  const placeOf = placesIn(file, start + from, start + to, start + tree.contents.range[0])
  try {
    return { value: tree.toJS({ maxAliasCount: MAX_ALIASES }), placeOf }
  } catch (cause) {
    // The yaml library throws this for too many aliases.
    if (!(cause instanceof ReferenceError)) throw cause
    return { problem: `${placeOf([])}: expected fewer aliases: ${cause.message}` }
  }
}

/** `{{ name }}` is a map in a map to YAML, and no YAML at all where it is a line of its own. */
function messageOf(error: TextProblem, line: string): string {
  const code = 'code' in error ? error.code : undefined
  if (code === 'NON_STRING_KEY') return `expected text as key, got a map or a list: ${TEMPLATE}`
  return code !== undefined && line.includes('{{') ? `${error.message}: ${TEMPLATE}` : error.message
}

function lineAt(text: string, offset: number): string {
  const end = text.indexOf('\n', offset)
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1, end < 0 ? undefined : end)
}

/** The places in one document, whose tree is made when the first one is asked for. */
function placesIn(file: Source, start: number, end: number, ofContents: number): Piece['placeOf'] {
  let tree: Tree.Parsed | undefined
  return (path) => {
    if (path.length === 0) return file.placeOf(ofContents)
    tree ??= parseDocument(file.text.slice(start, end), DIALECT)
    return file.placeOf(start + offsetIn(tree, path))
  }
}

function offsetIn(tree: Tree.Parsed, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = tree.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return tree.contents?.range[0] ?? 0
}

/** The first key that is there twice, or alias without an anchor, or inside its own anchor, whose value would be infinite. */
function problemIn(tree: Tree.Parsed): TextProblem | undefined {
  const anchors = new Map<string, Node>()
  let aliases = 0
  let found: TextProblem | undefined
  visit(tree, {
    Node(_key, node, ancestors) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.set(node.anchor, node)
        found = isMap(node) ? repeatedKey(node) : undefined
      } else {
        aliases += 1
        const target = anchors.get(node.source)
        const expected =
          aliases > MAX_ALIAS_SIGNS
            ? `at most ${MAX_ALIAS_SIGNS} aliases in a document`
            : aliasProblem(target, ancestors)
        if (expected !== undefined) {
          found = errorAt(node, `expected ${expected}, got "*${node.source}"`)
        }
      }
      return found === undefined ? undefined : visit.BREAK
    },
  })
  return found
}

function aliasProblem(target: Node | undefined, ancestors: readonly unknown[]): string | undefined {
  if (target === undefined) return 'an anchor before its alias'
  return ancestors.includes(target) ? 'an alias outside its anchor' : undefined
}

function errorAt({ range }: Node, message: string): TextProblem {
  const [start = 0, end = start] = range ?? []
  return { pos: [start, end], message }
}
