// YAML with comments: a value, and what stands above some of its keys.
import { Document, isMap, isScalar } from 'yaml'
import type { Path } from '../input/documents.ts'

/** Lines above a key. */
export interface Comment {
  /** Of the key, through maps and lists. */
  readonly path: Path
  readonly text: string
}

/**
 * Writes a value as kubectl reads it: YAML 1.1, so that a text like "yes" keeps its quotes.
 *
 * @throws RangeError if a comment's path leads to no key
 */
export function formatCommented(value: object, comments: readonly Comment[]): string {
  const document = new Document(value, { version: '1.1', aliasDuplicateObjects: false })
  for (const { path, text } of comments) {
    const key = keyAt(document, path)
    if (key === undefined)
      throw new RangeError(`Cannot comment on "${path.join('.')}": no such key`)
    key.commentBefore = text.replace(/^/gm, ' ')
  }
  return document.toString({ lineWidth: 0 })
}

function keyAt(document: Document, path: Path) {
  const parent = document.getIn(path.slice(0, -1), true)
  if (!isMap(parent)) return undefined
  const keys = parent.items.map((pair) => pair.key)
  return keys.filter(isScalar).find((key) => key.value === path.at(-1))
}
