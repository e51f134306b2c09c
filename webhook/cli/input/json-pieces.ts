// Where the values of concatenated JSON begin (`jq -c`, several `kubectl get -o json`): to YAML that is no syntax.

/** What may hold brackets that do not count is one token. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]|^---/gms

/**
 * Offsets at which to cut a text so that each piece is one value. A text that does not begin with `{`, or has YAML's own
 * separators, is whole; a piece that is no JSON is for its reader to refuse.
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
