// Parts of sentences: quotes of what others sent or wrote, cut to a maximum length; lists; the texts of errors. Pure.

const MAX_CHARACTERS = 200

interface Limit {
  /** How many characters of the text are shown at most. */
  readonly characters?: number
}

/** `text`, cut to a maximum length. What is cut off takes no memory. */
export function shorten(text: string, { characters = MAX_CHARACTERS }: Limit = {}): string {
  return text.length > characters ? `${copyOf(text.slice(0, characters))}…` : text
}

/** A part of a text keeps the whole of it in memory, a copy does not. Half a character at its end becomes U+FFFD. */
export function copyOf(text: string): string {
  return Buffer.from(text).toString()
}

export function quote(text: string, limit?: Limit): string {
  return `"${shorten(text, limit)}"`
}

/** Control characters as escapes: the text goes to terminals and logs. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `\\u{${code.toString(16)}}`
  })
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
