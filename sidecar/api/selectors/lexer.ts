// Cuts the text of a label selector into tokens, as apimachinery's lexer does. Which order makes sense is selector.ts's.

export type TokenKind =
  | 'identifier'
  | 'in'
  | 'notin'
  | '='
  | '=='
  | '!='
  | '!'
  | '>'
  | '<'
  | ','
  | '('
  | ')'
  | 'end'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  /** 1-based, in UTF-16 code units. */
  readonly position: number
}

// One alternative each for white space, symbols (the longer first) and words: anything else is part of a word.
const TOKEN = /[ \t\r\n]+|==|!=|[=!(),><]|[^ \t\r\n=!(),><]+/g

const KINDS: ReadonlyMap<string, TokenKind> = new Map(
  (['in', 'notin', '=', '==', '!=', '!', '>', '<', ',', '(', ')'] as const).map((kind) => [
    kind,
    kind,
  ]),
)

/** The tokens of `text`, the last of which is `end`. Every text can be cut; linear in its length. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = []
  for (const { 0: lexeme, index } of text.matchAll(TOKEN)) {
    if (' \t\r\n'.includes(lexeme.charAt(0))) continue
    tokens.push({ kind: KINDS.get(lexeme) ?? 'identifier', text: lexeme, position: index + 1 })
  }
  tokens.push({ kind: 'end', text: '', position: text.length + 1 })
  return tokens
}
