// The pages of the documentation, and what is in them: links, anchors, blocks of commands.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/imports.ts'

/** All pages, as paths from the project's root. */
export const PAGES: readonly string[] = globSync(
  ['*.md', 'docs/**/*.md', '.github/**/*.md', 'manifests/**/*.md'],
  { cwd: ROOT },
).sort()

export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** A page without its blocks of code. */
function proseOf(text: string): string {
  return text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')
}

/** The targets of links and pictures that are no addresses. */
export function relativeLinks(text: string): readonly string[] {
  const prose = proseOf(text).replaceAll(/`[^`\n]*`/g, 'code')
  return [...prose.matchAll(/(?:\]\(|src(?:set)?=")([^()\s"]+)[")]/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
}

/** The anchors of headings, as GitHub makes them. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...proseOf(text).matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{Letter}\p{Number}\- _]/gu, '')
      .replaceAll(' ', '-'),
  )
  return new Set(headings)
}

/** A command of a `console` block, and the lines that it is said to print. */
export interface ShownCommand {
  readonly page: string
  readonly command: string
  readonly output: readonly string[]
}

/** The commands of a page, without their comments; lines that end with a backslash go on. */
export function shownCommands(page: string): readonly ShownCommand[] {
  const blocks = [...readPage(page).matchAll(/^( *)```console\n([\s\S]*?)^ *```$/gm)]
  return blocks.flatMap(([, indent = '', block = '']) => {
    const text = block.replaceAll(new RegExp(`^${indent}`, 'gm'), '').replaceAll(/ *\\\n */g, ' ')
    return text
      .split(/^\$ /m)
      .slice(1)
      .map((entry) => {
        const [first = '', ...output] = entry.trimEnd().split('\n')
        return { page, command: first.replace(/ {2,}# .*$/, ''), output }
      })
  })
}
