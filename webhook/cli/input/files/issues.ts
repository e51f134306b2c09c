// The problems of an object of the input: a sentence for each issue of valibot, with its place in the file. Pure.
import type { BaseIssue } from 'valibot'
import type { Document } from './documents.ts'
import type { Path } from './source.ts'

export type Issue = BaseIssue<unknown>

/** `queue.yaml:7:12: spec.jobs[0].nodes: expected a number, got "two"`. */
export function describeIssues(
  { placeOf }: Pick<Document, 'placeOf'>,
  issues: readonly Issue[],
): readonly string[] {
  return issues.map((issue) => {
    const keys: Path = (issue.path ?? []).map(({ key }) => (isKey(key) ? key : String(key)))
    const name = keys.length === 0 ? '' : `${spell(keys)}: `
    return `${placeOf(keys)}: ${name}${describeIssue(issue)}`
  })
}

/** `expected a number, got none`. */
export function describeIssue(issue: Issue): string {
  const { type, expected, received, input } = issue
  if (expected === 'never') return 'unknown field'
  if (type.endsWith('object') && received === 'undefined') return 'expected a value, got none'
  const isUnquoted =
    expected === 'string' && (typeof input === 'boolean' || typeof input === 'number')
  const hint = isUnquoted ? `, write "${input}"` : ''
  const got = type === 'min_length' && received === '0' ? 'none' : (WORDS[received] ?? received)
  return `expected ${spellExpected(issue)}, got ${got}${hint}`
}

/** The words of valibot, in those of a person. */
const WORDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  Object: 'a map',
  Array: 'a list',
  undefined: 'none',
}

function spellExpected({ type, expected, message }: Issue): string {
  if (type === 'min_length') return 'at least one item'
  if (type === 'integer') return 'a whole number'
  if (expected === null) return message
  const text = expected.replace(/^>=/, 'at least ').replace(/^<=/, 'at most ')
  const [, alternatives = text] = /^\((.+)\)$/.exec(text) ?? []
  return alternatives
    .split(' | ')
    .map((word) => WORDS[word] ?? word)
    .join(' or ')
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
