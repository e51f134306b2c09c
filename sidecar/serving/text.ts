// Parts of sentences: quotes of what others sent or wrote, cut to a maximum length; lists; the texts of errors. Pure.

const MAX_CHARACTERS = 200

interface Limit {
  /** How many characters of the text are shown at most. */
  readonly characters?: number
}

/** `text`, cut to a maximum length. */
export function shorten(text: string, { characters = MAX_CHARACTERS }: Limit = {}): string {
  return text.length > characters ? `${text.slice(0, characters)}…` : text
}

export function quote(text: string, limit?: Limit): string {
  return `"${shorten(text, limit)}"`
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerate(items: readonly string[], conjunction: 'and' | 'or' = 'and'): string {
  if (items.length < 2) return items.join('')
  return `${items.slice(0, -1).join(', ')} ${conjunction} ${items.at(-1)}`
}
