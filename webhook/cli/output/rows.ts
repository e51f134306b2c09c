// Lines of a report in a terminal: a subject, and beside it a text that is broken to fit. Pure.
import { printable } from '#serving/text.ts'
import { paint, type Style } from './style.ts'

/** The widest subject and two spaces. */
export const INDENT = 9

export interface RowOptions {
  readonly columns: number
  readonly hasColor: boolean
  /** Of the text. */
  readonly style?: Style
}

/** Breaks a text at spaces, in lines beside its subject. What nobody sees is escaped: users write notes and reasons. */
export function row(
  subject: string,
  text: string,
  { columns, hasColor, style }: RowOptions,
): readonly string[] {
  const width = Math.max(10, columns - INDENT)
  const lines: string[] = []
  let line = ''
  for (const word of printable(text).split(' ')) {
    for (const part of pieces(word, width)) {
      if (line !== '' && line.length + 1 + part.length > width) {
        lines.push(line)
        line = part
      } else line = line === '' ? part : `${line} ${part}`
    }
  }
  lines.push(line)
  return lines.map((one, index) => {
    const shown = style === undefined ? one : paint(one, style, hasColor)
    return `${(index === 0 ? subject : '').padEnd(INDENT)}${shown}`
  })
}

function pieces(word: string, width: number): readonly string[] {
  if (word.length <= width) return [word]
  return Array.from({ length: Math.ceil(word.length / width) }, (_, index) =>
    word.slice(index * width, (index + 1) * width),
  )
}
