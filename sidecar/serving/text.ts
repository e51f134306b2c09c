// Pieces of sentences: what somebody sent or wrote comes back quoted, and never in full length.

const MAX_CHARACTERS = 200

/** `text`, with at most `maxCharacters`: nobody would read on. */
export function shorten(text: string, maxCharacters = MAX_CHARACTERS): string {
  return text.length > maxCharacters ? `${text.slice(0, maxCharacters - 1)}…` : text
}

export function quote(text: string, maxCharacters = MAX_CHARACTERS): string {
  return `"${shorten(text, maxCharacters)}"`
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerate(items: readonly string[], conjunction: 'and' | 'or' = 'and'): string {
  if (items.length < 2) return items.join('')
  return `${items.slice(0, -1).join(', ')} ${conjunction} ${items.at(-1)}`
}
