// Marks and texts of a picture (SVG). Pure.

export function cross(x: number, y: number): string {
  return `<path class="killed" d="M${round(x - 4)} ${y - 4}l8 8m0 -8l-8 8"/>`
}

export function round(pixels: number): number {
  return Math.round(pixels * 10) / 10
}

interface TextStyle {
  readonly x: number
  readonly y: number
  /** A class. */
  readonly style: string
  readonly anchor?: 'start' | 'middle' | 'end'
  readonly weight?: number
}

export function text({ x, y, style, anchor, weight }: TextStyle, words: string): string {
  const attributes = [
    `class="${style}" x="${round(x)}" y="${round(y)}"`,
    ...(anchor === undefined ? [] : [`text-anchor="${anchor}"`]),
    ...(weight === undefined ? [] : [`font-weight="${weight}"`]),
  ]
  return `<text ${attributes.join(' ')}>${escapeXml(words)}</text>`
}

export function escapeXml(words: string): string {
  return words.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`)
}
