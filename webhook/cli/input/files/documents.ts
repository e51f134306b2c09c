// Reads the Kubernetes objects of a text, YAML or JSON, and unpacks lists. Knows the place of each value in the text, but not
// its meaning.
import { describeProblem, MAX_DEPTH, TOO_DEEP } from '#metrics/user-metrics/bounded-yaml.ts'
import { JsonOffsets, jsonPieces, repeatedKeyIn, tooDeep } from './json-pieces.ts'
import { type Path, type Piece, Source } from './source.ts'
import { type YamlReading, yamlPieces } from './yaml-pieces.ts'

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

/** Reads the objects of a file. Without problems at least one object is found. */
export function readDocuments(text: string, name: string): ReadResult<Document> {
  const file = new Source(name, text)
  const found: Document[] = []
  const problems: string[] = []
  for (const piece of readPieces(file)) {
    if ('problem' in piece) problems.push(piece.problem)
    else unpack(piece.value, [], { piece, found, problems })
  }
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
  // "expected a MiniCluster, found MiniCluster" would say nothing.
  const names = documents.map(({ apiVersion, kind }) =>
    expected.includes(kind) ? `${kind} of ${apiVersion || 'no apiVersion'}` : kind,
  )
  const kinds = [...new Set(names)].join(', ') || 'none'
  return `${place}: expected ${expected}, found ${kinds}`
}

/** The values of a file, one after the other. JSON is parsed as JSON, which is much faster; what only looks like it is YAML. */
export function* readPieces(file: Source): Generator<YamlReading> {
  const offsets = jsonPieces(file.text)
  for (const [index, offset] of offsets.entries()) {
    const end = offsets[index + 1]
    const json = jsonPiece(file, offset, end)
    if (json === undefined) yield* yamlPieces(file, offset, end)
    else yield json
  }
}

/** @returns `undefined` if it is not JSON */
function jsonPiece(file: Source, start: number, end: number | undefined): YamlReading | undefined {
  const text = file.text.slice(start, end)
  if (!/^\uFEFF?\s*\{/.test(text)) return undefined
  const excess = tooDeep(text, MAX_DEPTH)
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    if (excess !== undefined) return { problem: `${file.placeOf(start + excess)}: ${TOO_DEEP}` }
    const repeated = repeatedKeyIn(text)
    if (repeated !== undefined) {
      return { problem: describeProblem(repeated, (offset) => file.placeOf(start + offset)) }
    }
    const offsets = new JsonOffsets(text)
    return { value, placeOf: (path) => file.placeOf(start + offsets.of(path)) }
  } catch {
    return undefined
  }
}

/** What is found in one piece. */
interface Findings {
  readonly piece: Piece
  readonly found: Document[]
  readonly problems: string[]
}

/** Finds the items of a list of any kind, as `kubectl get` prints it, or the object itself. */
function unpack(value: unknown, path: Path, findings: Findings): void {
  const { piece, found, problems } = findings
  if (value === null) return
  if (!isMap(value) || typeof value.kind !== 'string' || typeof value.apiVersion !== 'string') {
    problems.push(`${piece.placeOf(path)}: expected an object with apiVersion and kind`)
    return
  }
  const { apiVersion, kind, items } = value
  if (!kind.endsWith('List') || !Array.isArray(items)) {
    const placeOf = (inner: Path) => piece.placeOf([...path, ...inner])
    found.push({ apiVersion, kind, value, placeOf })
    return
  }
  // The items of a PodList have no kind and no version.
  const ofItems = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) }
  for (const [index, item] of items.entries()) {
    unpack(isMap(item) ? { ...ofItems, ...item } : item, [...path, 'items', index], findings)
  }
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
