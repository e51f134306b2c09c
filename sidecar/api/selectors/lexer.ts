// Cuts the text of a label selector into tokens, as apimachinery's lexer does. The grammar is in parser.ts.

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

// White space, symbols (the longer first) or words. Every other character is part of a word.
const TOKEN = /[ \t\r\n]+|==|!=|[=!(),><]|[^ \t\r\n=!(),><]+/g

const KINDS: ReadonlyMap<string, TokenKind> = new Map(
  (['in', 'notin', '=', '==', '!=', '!', '>', '<', ',', '(', ')'] as const).map((kind) => [
    kind,
    kind,
  ]),
)

/** Cuts any text; the last token is `end`. The time is linear in the length. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = []
  for (const { 0: lexeme, index } of text.matchAll(TOKEN)) {
    if (' \t\r\n'.includes(lexeme.charAt(0))) continue
    tokens.push({ kind: KINDS.get(lexeme) ?? 'identifier', text: lexeme, position: index + 1 })
  }
  tokens.push({ kind: 'end', text: '', position: text.length + 1 })
  return tokens
}
