// Pieces of the sentences we answer with. What a caller sent comes back quoted and never in full length.

const MAX_ECHOED_LENGTH = 200

/** `text`, cut where nobody would read on. */
export function shorten(text: string): string {
  return text.length > MAX_ECHOED_LENGTH ? `${text.slice(0, MAX_ECHOED_LENGTH)}…` : text
}

export function quote(text: string): string {
  return `"${shorten(text)}"`
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerate(items: readonly string[], conjunction: 'and' | 'or' = 'and'): string {
  if (items.length < 2) return items.join('')
  return `${items.slice(0, -1).join(', ')} ${conjunction} ${items.at(-1)}`
}
