// The offsets of values in JSON: of those in concatenated JSON (`jq -c`, several `kubectl get -o json`), which YAML cannot
// parse, and of objects inside of one. Pure.

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
