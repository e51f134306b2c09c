// Kubernetes objects out of text: YAML or JSON, many of them, lists unpacked. Knows where each value stands; not what it
// means.
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

/** An object as somebody wrote it. */
export interface Document {
  readonly apiVersion: string
  readonly kind: string
  readonly value: Readonly<Record<string, unknown>>
  /** Where a part of it stands, or what is nearest around it: `file:line:column`. */
  placeOf(path: Path): string
}

/** What was found, and a sentence with its place for everything that is no good. */
export interface ReadResult<T> {
  readonly found: readonly T[]
  readonly problems: readonly string[]
}

/** A part of a file that is parsed by itself, and where in the file it begins. */
interface Piece {
  readonly file: Source
  readonly offset: number
  readonly tree: Tree.Parsed
}

interface Source {
  readonly name: string
  readonly text: string
}

/** Of anchors that contain each other's aliases, how many values may come: a few lines can stand for billions. */
const MAX_ALIASES = 100

/**
 * As kubectl reads YAML (1.1: `yes` is true, 0777 is octal), which takes times for text and knows no `1:30`. Keys are
 * text whatever they look like.
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

/** Reads the objects of a file. Without problems there is at least one. */
export function readDocuments(text: string, name: string): ReadResult<Document> {
  const file = { name, text }
  const pieces = jsonPieces(text).flatMap((offset, index, offsets) => {
    const trees = parseAllDocuments(text.slice(offset, offsets[index + 1]), DIALECT)
    return [...trees].map((tree) => ({ file, offset, tree }))
  })
  const readings = pieces.map(readPiece)
  const found = readings.flatMap((reading) => reading.found)
  const problems = readings.flatMap((reading) => reading.problems)
  if (found.length > 0 || problems.length > 0) return { found, problems }
  return { found, problems: [`${name}: expected Kubernetes objects, found nothing`] }
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
    // The library refuses too many aliases with it.
    if (!(cause instanceof ReferenceError)) throw cause
    const problem = `${placeIn(piece, [])}: expected fewer aliases: ${cause.message}`
    return { found: [], problems: [problem] }
  }
}

/** The objects of a list of any kind (`kubectl get`), or the one that it is. */
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
  // The API leaves kind and version out of the items of a PodList.
  const ofItems = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) }
  const readings = items.map((item: unknown, index) =>
    unpack(isMap(item) ? { ...ofItems, ...item } : item, [...path, 'items', index], piece),
  )
  return {
    found: readings.flatMap((reading) => reading.found),
    problems: readings.flatMap((reading) => reading.problems),
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Aliases of nothing, and of what they are part of: such a value has no end. */
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
