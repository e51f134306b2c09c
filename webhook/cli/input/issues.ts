// The problems of an object of the input: a sentence for each issue of valibot, with its place in the file. Pure.
import type { BaseIssue } from 'valibot'
import type { Document, Path } from './documents.ts'

export type Issue = BaseIssue<unknown>

/** `queue.yaml:7:12: spec.jobs[0].nodes: expected number, got "two"`. */
export function describeIssues(document: Document, issues: readonly Issue[]): readonly string[] {
  return issues.map((issue) => describe(document, issue))
}

function describe({ placeOf }: Document, issue: Issue): string {
  const { type, received, input, path } = issue
  const expected = type === 'min_length' ? 'at least one item' : issue.expected
  const keys: Path = (path ?? []).map(({ key }) => (isKey(key) ? key : String(key)))
  const isUnquoted =
    expected === 'string' && (typeof input === 'boolean' || typeof input === 'number')
  const hint = isUnquoted ? `, write "${input}"` : ''
  return `${placeOf(keys)}: ${spell(keys)}: expected ${expected}, got ${received}${hint}`
}

function isKey(key: unknown): key is string | number {
  return typeof key === 'string' || typeof key === 'number'
}

/** As kubectl writes a path: `spec.containers[0].image`. */
function spell(keys: Path): string {
  return keys.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    const name = String(key)
    return /^\w+$/.test(name) ? `${text}${text === '' ? '' : '.'}${name}` : `${text}["${name}"]`
  }, '')
}
