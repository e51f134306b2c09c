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

/**
 * What nobody sees, and what changes how the characters around it are shown: control characters, line ends, directions of writing,
 * joiners, fillers. Also what has no meaning yet.
 */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu

/** Characters that are not seen, as escapes: what others write goes to terminals, pages and logs, and must look like what it is. */
export function printable(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `\\u{${code.toString(16)}}`
  })
}

/** The same for a text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/** The same for JSON, whose values stay as they are. */
export function printableJson(json: string): string {
  return json.replace(UNSEEN, (character) =>
    '\n\r\t'.includes(character) ? character : unitsOf(character),
  )
}

/** As JSON escapes a character: each half of a pair alone. */
function unitsOf(character: string): string {
  const units = character.split('').map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'))
  return units.map((unit) => `\\u${unit}`).join('')
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
