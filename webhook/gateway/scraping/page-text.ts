// The pages of many sidecars as one page of Prometheus' text format: each family once, with all its samples. Pure.
import { type Family, type Page, typeOf } from './page.ts'

/** The text of each family, in alphabetical order; its samples are in the order of the pages. All texts together have megabytes. */
export function* textsOf(pages: readonly Page[]): Generator<string> {
  const byName = new Map<string, Family[]>()
  for (const { families } of pages) {
    for (const [name, family] of families) {
      const others = byName.get(name)
      if (others === undefined) byName.set(name, [family])
      else others.push(family)
    }
  }
  for (const name of [...byName.keys()].sort()) yield familyText(name, byName.get(name) ?? [])
}

function familyText(name: string, families: readonly Family[]): string {
  const help = mostCommon(families.map((family) => family.help))
  return [
    help === '' ? '' : `# HELP ${name} ${help}\n`,
    `# TYPE ${name} ${typeOf(name)}\n`,
    ...families.map(({ samples }) => samples),
  ].join('')
}

/** Sidecars of several versions may describe a family in other words, and a hostile one in any. Of equals the first wins. */
function mostCommon(texts: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  const [first] = [...counts].sort(([, one], [, other]) => other - one)
  return first?.[0] ?? ''
}
