// The packages of others that are in a bundle, and their licences: most licences ask to be passed on with the code.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A package of which there is code in a bundle. */
export interface ThirdParty {
  readonly name: string
  readonly version: string
  /** As the package says it, such as `MIT`. */
  readonly licence: string
  /** The text of its licence and notice files; empty if it has none. */
  readonly text: string
}

/** Where packages are in a path: `node_modules/a/node_modules/@b/c/index.js` is of `node_modules/a/node_modules/@b/c`. */
const PACKAGE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/

const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i

/**
 * The packages that files are of, by name.
 *
 * @param root the folder in which the paths begin
 */
export async function packagesOf(
  root: string,
  paths: readonly string[],
): Promise<readonly ThirdParty[]> {
  const folders = new Set(paths.flatMap((path) => PACKAGE.exec(path) ?? []))
  const all = await Promise.all([...folders].map((folder) => readPackage(join(root, folder))))
  // Two folders may have the same package.
  const distinct = new Map(all.map((one) => [`${one.name}@${one.version}`, one]))
  return [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}

async function readPackage(folder: string): Promise<ThirdParty> {
  const { name, version, license } = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  )
  if (typeof license !== 'string') throw new Error(`${folder}: package.json names no licence`)
  const files = (await readdir(folder)).filter((file) => LICENCE_FILE.test(file)).sort()
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  return { name, version, licence: license, text: texts.map(tidy).join('\n') }
}

/** Ends of lines and the space before them differ between packages. */
function tidy(text: string): string {
  return `${text.replace(/[^\S\n]+$/gm, '').trim()}\n`
}

const RULE = '-'.repeat(80)

/** What goes with a bundle: each package with its licence. */
export function thirdPartyNotice(program: string, packages: readonly ThirdParty[]): string {
  const parts = packages.map(({ name, version, licence, text }) =>
    [RULE, `${name} ${version} (${licence})`, ...(text === '' ? [] : ['', text.trimEnd()])].join(
      '\n',
    ),
  )
  return `${[`Parts of other projects are in ${program}, under these licences.`, ...parts].join('\n')}\n`
}
