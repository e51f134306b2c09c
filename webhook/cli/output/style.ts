// Colours of a terminal, for what also reads without them. Pure.
import { styleText } from 'node:util'

export type Style = Parameters<typeof styleText>[0]

/** The text in a style, if the output has colours. */
export function paint(text: string, style: Style, hasColor: boolean): string {
  return hasColor ? styleText(style, text, { validateStream: false }) : text
}
