// The changes between two texts, as `diff -u` prints them. Loads the diff package only when it is used.
import { paint, type Style } from './style.ts'

/** Two texts and their names. */
export interface Change {
  readonly before: { readonly name: string; readonly text: string }
  readonly after: { readonly name: string; readonly text: string }
}

const STYLES: Readonly<Record<string, Style>> = { '+': 'green', '-': 'red' }
const CONTEXT = 3

/** The changed lines with their context, and the part of the YAML that they belong to; empty for equal texts. */
export async function formatDiff(
  { before, after }: Change,
  { color }: { readonly color: boolean },
): Promise<string> {
  if (before.text === after.text) return ''
  const { structuredPatch } = await import('diff')
  const { hunks } = structuredPatch('', '', before.text, after.text, '', '', { context: CONTEXT })
  const texts = after.text.split('\n')
  return [
    paint(`--- ${before.name}`, 'bold', color),
    paint(`+++ ${after.name}`, 'bold', color),
    ...hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => {
      const firstChange = lines.findIndex((line) => !line.startsWith(' '))
      const section = sectionOf(texts, newStart - 1 + firstChange)
      const range = paint(`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`, 'cyan', color)
      return [`${range} ${section}`.trimEnd(), ...lines.map((line) => paintChange(line, color))]
    }),
    '',
  ].join('\n')
}

/** The keys above a line of YAML, outermost first: `spec.initContainers`. */
function sectionOf(lines: readonly string[], index: number): string {
  const keys: string[] = []
  let depth = depthOf(lines[index] ?? '')
  for (const line of lines.slice(0, index).reverse()) {
    const [, key] = /^ *([^\s:]+):$/.exec(line) ?? []
    if (key === undefined || depthOf(line) >= depth) continue
    depth = depthOf(line)
    keys.unshift(key)
  }
  return keys.join('.')
}

/** The items of a list count as deeper than its key, though they have the same indentation. */
function depthOf(line: string): number {
  return line.search(/\S|$/) + (line.trimStart().startsWith('- ') ? 1 : 0)
}

function paintChange(line: string, color: boolean): string {
  const style = STYLES[line.charAt(0)]
  return style === undefined ? line : paint(line, style, color)
}
