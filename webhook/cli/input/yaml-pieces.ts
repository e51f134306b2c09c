// The documents of a YAML text as kubectl reads it, one after the other. A document's tree is dropped when its value is known,
// and made again if a place in it is asked for: the trees of a large file take a hundred times its size.
import {
  type Alias,
  Composer,
  isNode,
  Parser,
  parseDocument,
  type Document as Tree,
  visit,
  type YAMLError,
} from 'yaml'
import type { Path, Piece, Source } from './source.ts'

/** The limit of values from nested aliases: without one, a few lines can expand to billions of values. */
const MAX_ALIASES = 100

/**
 * YAML 1.1 as kubectl reads it: `yes` is true, 0777 is octal, but times and numbers such as `1:30` are text. All keys are
 * text.
 */
const DIALECT = {
  version: '1.1',
  stringKeys: true,
  prettyErrors: false,
  customTags: (tags) =>
    tags.filter(
      (tag) =>
        typeof tag === 'string' ||
        !(tag.tag === 'tag:yaml.org,2002:timestamp' || ('format' in tag && tag.format === 'TIME')),
    ),
} as const satisfies Parameters<typeof parseDocument>[1]

/** A document, or a sentence with its place. Documents without a value are left out. */
export type YamlReading = Piece | { readonly problem: string }

/** Reads the documents between two offsets. */
export function* yamlPieces(file: Source, start: number, end?: number): Generator<YamlReading> {
  const text = file.text.slice(start, end)
  for (const tree of new Composer(DIALECT).compose(new Parser().parse(text), false, text.length)) {
    const reading = readTree(file, start, tree)
    if (reading !== undefined) yield reading
  }
}

function readTree(file: Source, start: number, tree: Tree.Parsed): YamlReading | undefined {
  const [error] = [...tree.errors, ...aliasErrors(tree)]
  if (error !== undefined) {
    return { problem: `${file.placeOf(start + error.pos[0])}: ${error.message}` }
  }
  if (tree.contents === null) return undefined
  const [from, , to] = tree.range
  const offset = start + from
  const placeOf = placesIn(file, offset, start + to)
  try {
    return { value: tree.toJS({ maxAliasCount: MAX_ALIASES }), placeOf }
  } catch (cause) {
    // The yaml library throws this for too many aliases.
    if (!(cause instanceof ReferenceError)) throw cause
    return { problem: `${placeOf([])}: expected fewer aliases: ${cause.message}` }
  }
}

/** The places in one document, whose tree is made when the first one is asked for. */
function placesIn(file: Source, start: number, end: number): Piece['placeOf'] {
  let tree: Tree.Parsed | undefined
  return (path) => {
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

/** Aliases without an anchor, and aliases inside their own anchor, whose value would be infinite. */
function aliasErrors(tree: Tree.Parsed): readonly Pick<YAMLError, 'pos' | 'message'>[] {
  const errors: Pick<YAMLError, 'pos' | 'message'>[] = []
  visit(tree, {
    Alias(_key, alias: Alias, ancestors) {
      const target = alias.resolve(tree)
      if (target !== undefined && !ancestors.includes(target)) return undefined
      const why =
        target === undefined ? 'an anchor before its alias' : 'an alias outside its anchor'
      const [start = 0, end = start] = alias.range ?? []
      errors.push({ pos: [start, end], message: `expected ${why}, got "*${alias.source}"` })
      return visit.BREAK
    },
  })
  return errors
}
