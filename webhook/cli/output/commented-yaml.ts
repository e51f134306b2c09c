// A value as YAML, with comments above some of its keys. Pure.
import { Document, isMap, isScalar } from 'yaml'
import type { Path } from '../input/files/source.ts'

/** A comment above a key. */
export interface Comment {
  /** The path of the key, through maps and lists. */
  readonly path: Path
  readonly text: string
}

/**
 * Writes YAML 1.1, as kubectl reads it: a text such as "yes" keeps its quotes.
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
