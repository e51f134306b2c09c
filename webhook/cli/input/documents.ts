// Reads the Kubernetes objects of a text, YAML or JSON, and unpacks lists. Knows the place of each value in the text, but not
// its meaning.
import {
  type Alias,
  isNode,
  parseAllDocuments,
  type Document as Tree,
  visit,
  type YAMLError,
} from 'yaml'
import { jsonPieces } from './json-pieces.ts'

/** A path through maps and lists. */
export type Path = readonly PropertyKey[]

/** An object of the input, not checked. */
export interface Document {
  readonly apiVersion: string
  readonly kind: string
  readonly value: Readonly<Record<string, unknown>>
  /** `file:line:column` of a value, or of the nearest value around it. */
  placeOf(path: Path): string
}

/** The values that were found, and a sentence with its place for each problem. */
export interface ReadResult<T> {
  readonly found: readonly T[]
  readonly problems: readonly string[]
}

/** A part of a file that is parsed separately, and its offset in the file. */
interface Piece {
  readonly file: Source
  readonly offset: number
  readonly tree: Tree.Parsed
}

interface Source {
  readonly name: string
  readonly text: string
}

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
} as const satisfies Parameters<typeof parseAllDocuments>[1]

/** Reads the objects of a file. Without problems at least one object is found. */
export function readDocuments(text: string, name: string): ReadResult<Document> {
  const file = { name, text }
  const pieces = jsonPieces(text).flatMap((offset, index, offsets) => {
    const trees = parseAllDocuments(text.slice(offset, offsets[index + 1]), DIALECT)
    return [...trees].map((tree) => ({ file, offset, tree }))
  })
  const results = pieces.map(readPiece)
  const found = results.flatMap((result) => result.found)
  const problems = results.flatMap((result) => result.problems)
  if (found.length > 0 || problems.length > 0) return { found, problems }
  return { found, problems: [`${name}: expected Kubernetes objects, found nothing`] }
}

/** `file:line:column: expected a MiniCluster, found Pod, Service`. */
export function describeUnexpected(
  documents: readonly Document[],
  expected: string,
  fallbackPlace = '?',
): string {
  const place = documents[0]?.placeOf([]) ?? fallbackPlace
  const kinds = [...new Set(documents.map(({ kind }) => kind))].join(', ') || 'none'
  return `${place}: expected ${expected}, found ${kinds}`
}

function readPiece(piece: Piece): ReadResult<Document> {
  const { file, offset, tree } = piece
  const [error] = [...tree.errors, ...aliasErrors(tree)]
  if (error !== undefined) {
    return { found: [], problems: [`${place(file, offset + error.pos[0])}: ${error.message}`] }
  }
  if (tree.contents === null) return { found: [], problems: [] }
  try {
    return unpack(tree.toJS({ maxAliasCount: MAX_ALIASES }), [], piece)
  } catch (cause) {
    // The yaml library throws this for too many aliases.
    if (!(cause instanceof ReferenceError)) throw cause
    const problem = `${placeIn(piece, [])}: expected fewer aliases: ${cause.message}`
    return { found: [], problems: [problem] }
  }
}

/** The items of a list of any kind, as `kubectl get` prints it, or the object itself. */
function unpack(value: unknown, path: Path, piece: Piece): ReadResult<Document> {
  if (value === null) return { found: [], problems: [] }
  if (!isMap(value) || typeof value.kind !== 'string' || typeof value.apiVersion !== 'string') {
    const problem = `${placeIn(piece, path)}: expected an object with apiVersion and kind`
    return { found: [], problems: [problem] }
  }
  const { apiVersion, kind, items } = value
  if (!kind.endsWith('List') || !Array.isArray(items)) {
    const placeOf = (inner: Path) => placeIn(piece, [...path, ...inner])
    return { found: [{ apiVersion, kind, value, placeOf }], problems: [] }
  }
  // The items of a PodList have no kind and no version.
  const ofItems = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) }
  const results = items.map((item: unknown, index) =>
    unpack(isMap(item) ? { ...ofItems, ...item } : item, [...path, 'items', index], piece),
  )
  return {
    found: results.flatMap((result) => result.found),
    problems: results.flatMap((result) => result.problems),
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
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

function placeIn({ file, offset, tree }: Piece, path: Path): string {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = tree.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return place(file, offset + node.range[0])
  }
  const start = tree.contents?.range[0] ?? 0
  return place(file, offset + start)
}

function place({ name, text }: Source, offset: number): string {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  return `${name}:${line}:${offset - before.lastIndexOf('\n')}`
}
