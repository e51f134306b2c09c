// Values in JSON and their offsets: those in concatenated JSON (`jq -c`, several `kubectl get -o json`), which YAML cannot
// parse, objects inside of one, and the value at a path. Pure.
import { describeRepeated, type TextProblem } from '#metrics/user-metrics/bounded-yaml.ts'
import type { Path } from './source.ts'

/** A string is one token, because brackets inside of it do not count. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]|^---/gms

/**
 * Offsets at which to cut a text so that each piece is one value. A text that does not begin with `{`, or that has YAML
 * separators, is one piece. Whether a piece is valid is not checked here.
 */
export function jsonPieces(text: string): readonly number[] {
  if (!/^\uFEFF?\s*\{/.test(text)) return [0]
  const starts: number[] = []
  let depth = 0
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '---' && depth === 0) return [0]
    if (token === '{' && depth === 0) starts.push(index)
    if (token === '{' || token === '[') depth += 1
    if (token === '}' || token === ']') depth -= 1
  }
  return [0, ...starts.slice(1)]
}

/** Where the objects of one depth begin; 0: those that are in no other value. */
export function objectOffsets(text: string, depth: number): readonly number[] {
  const offsets: number[] = []
  let current = 0
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '{' && current === depth) offsets.push(index)
    if (token === '{' || token === '[') current += 1
    if (token === '}' || token === ']') current -= 1
  }
  return offsets
}

/** The offset of the first value that has more values around it than that, or nothing. */
export function tooDeep(text: string, depth: number): number | undefined {
  let current = 0
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') current += 1
    if (token === '}' || token === ']') current -= 1
    if (current > depth) return index
  }
  return undefined
}

/** A string with a colon after it is a key. */
const KEY_OR_BRACKET = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]/gs

/** The first key of valid JSON that is twice in its object. */
export function repeatedKeyIn(text: string): TextProblem | undefined {
  /** The keys of each object around, and an empty map for each list. */
  const around: Map<string, number>[] = []
  let keys = new Map<string, number>()
  for (const { 0: token, 1: spelled, 2: colon, index } of text.matchAll(KEY_OR_BRACKET)) {
    if (spelled !== undefined) {
      if (colon === undefined) continue
      const inner = spelled.slice(1, -1)
      const key: string = inner.includes('\\') ? JSON.parse(spelled) : inner
      const firstAt = keys.get(key)
      if (firstAt !== undefined) {
        const pos = [index, index + spelled.length] as const
        return { pos, message: describeRepeated(inner), firstAt }
      }
      keys.set(key, index)
    } else if (token === '{' || token === '[') {
      around.push(keys)
      keys = new Map()
    } else {
      keys = around.pop() ?? new Map()
    }
  }
  return undefined
}

const SPACE = /[\s,:\uFEFF]*/y
const SCALAR = /"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,:[\]{}"]+/y
const BRACKET = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g

/** Where the values at paths in valid JSON begin. Lists that it went through are remembered: a file may have many problems. */
export class JsonOffsets {
  readonly #text: string
  /** Offsets of the items, by the offset of their list. */
  readonly #lists = new Map<number, readonly number[]>()

  constructor(text: string) {
    this.#text = text
  }

  /** The offset of the value at a path, or of the nearest value around it. */
  of(path: Path): number {
    let offset = this.#skip(SPACE, 0)
    for (const key of path) {
      const inner = typeof key === 'number' ? this.#items(offset)[key] : this.#member(offset, key)
      if (inner === undefined) return offset
      offset = inner
    }
    return offset
  }

  #member(map: number, key: PropertyKey): number | undefined {
    if (this.#text[map] !== '{') return undefined
    let found: number | undefined
    let offset = this.#skip(SPACE, map + 1)
    while (offset < this.#text.length && this.#text[offset] !== '}') {
      const end = this.#skip(SCALAR, offset)
      const name: unknown = JSON.parse(this.#text.slice(offset, end))
      const value = this.#skip(SPACE, end)
      // Of two members with the same name the last one counts.
      if (name === key) found = value
      offset = this.#skip(SPACE, this.#after(value))
    }
    return found
  }

  #items(list: number): readonly number[] {
    const known = this.#lists.get(list)
    if (known !== undefined) return known
    const items: number[] = []
    let offset = this.#skip(SPACE, list + 1)
    while (this.#text[list] === '[' && offset < this.#text.length && this.#text[offset] !== ']') {
      items.push(offset)
      offset = this.#skip(SPACE, this.#after(offset))
    }
    this.#lists.set(list, items)
    return items
  }

  /** The end of the value that begins here. */
  #after(offset: number): number {
    const first = this.#text[offset]
    if (first !== '{' && first !== '[') return Math.max(offset + 1, this.#skip(SCALAR, offset))
    let depth = 0
    BRACKET.lastIndex = offset
    for (let match = BRACKET.exec(this.#text); match !== null; match = BRACKET.exec(this.#text)) {
      const [token] = match
      if (token === '{' || token === '[') depth += 1
      if (token === '}' || token === ']') depth -= 1
      if (depth === 0) return BRACKET.lastIndex
    }
    return this.#text.length
  }

  #skip(pattern: RegExp, offset: number): number {
    pattern.lastIndex = offset
    return offset + (pattern.exec(this.#text)?.[0].length ?? 0)
  }
}
