// The imports of the sources, read from their text: which file imports which, and which room imports which.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }

export const ROOT = join(import.meta.dirname, '../..')

/** Paths of all sources, from the project's root. */
export const SOURCES: readonly string[] = globSync('{sidecar,webhook}/**/*.ts', {
  cwd: ROOT,
}).sort()

/** `#flux` → `sidecar/flux`, as Node has it from package.json. */
const ALIASES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(packageJson.imports).map(([alias, path]) => [
    alias.replace('/*', ''),
    path.replace('./', '').replace('/*', ''),
  ]),
)

const SPECIFIER =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+'([^']+)'|(?:^|\n)import\s+'([^']+)'|import\('([^']+)'\)/g

/** Specifiers that are left when types are erased. */
export const VALUE_SPECIFIER = new RegExp(
  SPECIFIER.source.replace('(?:import|export)\\s', '(?:import|export)\\s(?!type\\s)'),
  'g',
)

export function importsOf(file: string, pattern = SPECIFIER): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** The project's file that a specifier means, or `undefined` for a package. */
export function fileOf(specifier: string, importer: string): string | undefined {
  if (specifier.startsWith('.')) return relative(ROOT, join(ROOT, dirname(importer), specifier))
  const [alias = '', ...rest] = specifier.split('/')
  const folder = ALIASES[alias]
  return folder === undefined ? undefined : join(folder, ...rest)
}

/** The webhook's lowest floor: files that its rooms import and that import none of them. */
const GROUND = ['webhook/contract.ts', 'webhook/health.ts', 'webhook/telemetry.ts']

/** The room of a source: its folder below sidecar/ or webhook/; files beside the rooms put them together. */
export function roomOf(file: string): string {
  if (GROUND.includes(file)) return 'contract'
  const [program = '', folder = '', ...rest] = file.split('/')
  return rest.length === 0 ? program : folder
}

/** Which rooms each room imports. */
export function roomImports(): ReadonlyMap<string, ReadonlySet<string>> {
  const rooms = new Map<string, Set<string>>(SOURCES.map((file) => [roomOf(file), new Set()]))
  for (const file of SOURCES) {
    for (const specifier of importsOf(file)) {
      const target = fileOf(specifier, file)
      if (target === undefined || !SOURCES.includes(target)) continue
      if (roomOf(target) !== roomOf(file)) rooms.get(roomOf(file))?.add(roomOf(target))
    }
  }
  return rooms
}

/** The imports that do not follow from others: a room that is reached through another one is left out. */
export function directImports(
  rooms: ReadonlyMap<string, ReadonlySet<string>>,
): readonly (readonly [from: string, to: string])[] {
  const reaches = (from: string, to: string): boolean =>
    from === to || [...(rooms.get(from) ?? [])].some((next) => reaches(next, to))
  return [...rooms].flatMap(([from, targets]) =>
    [...targets]
      .filter((to) => ![...targets].some((other) => other !== to && reaches(other, to)))
      .map((to) => [from, to] as const),
  )
}
