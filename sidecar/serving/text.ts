// Pieces of sentences: what somebody sent or wrote comes back quoted, and never in full length.

const MAX_CHARACTERS = 200

interface Limit {
  /** How much of the text is shown. */
  readonly characters?: number
}

/** `text`, cut where nobody would read on. */
export function shorten(text: string, { characters = MAX_CHARACTERS }: Limit = {}): string {
  return text.length > characters ? `${text.slice(0, characters)}…` : text
}

export function quote(text: string, limit?: Limit): string {
  return `"${shorten(text, limit)}"`
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerate(items: readonly string[], conjunction: 'and' | 'or' = 'and'): string {
  if (items.length < 2) return items.join('')
  return `${items.slice(0, -1).join(', ')} ${conjunction} ${items.at(-1)}`
}
