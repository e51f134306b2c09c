// Builds the bundles that the images run, and the command line: one CommonJS file per program, not minified. Development runs
// the sources. The same sources make the same bytes, whatever the folder.
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { type BuiltPage, buildPage } from '../../webhook/cli/dashboard/page-build.ts'
import { packagesOf, thirdPartyNotice } from './third-party.ts'

const ROOT = join(import.meta.dirname, '../..')

/** How a program is built. Its bundle is `dist/NAME.cjs`. */
interface Recipe {
  readonly main: string
  /** The oldest Node that it runs on. */
  readonly target: string
  /** A program that people are given as one file has the licences of others in it; an image has them in a file beside it. */
  readonly licences: 'inside' | 'beside'
}

const IMAGE = { target: 'node24', licences: 'beside' } as const

export const PROGRAMS = {
  sidecar: { ...IMAGE, main: 'sidecar/main.ts' },
  webhook: { ...IMAGE, main: 'webhook/main.ts' },
  gateway: { ...IMAGE, main: 'webhook/gateway/main.ts' },
  'flux-metrics': { main: 'webhook/cli/main.ts', target: 'node20', licences: 'inside' },
} as const satisfies Readonly<Record<string, Recipe>>

export type Program = keyof typeof PROGRAMS

const NAMES = Object.keys(PROGRAMS).filter(isProgram)

/**
 * Bundles a program into `folder`, with the licences of what is in it.
 *
 * @returns the path of the bundle
 */
export async function bundle(
  program: Program,
  folder: string = join(ROOT, 'dist'),
): Promise<string> {
  const recipe: Recipe = PROGRAMS[program]
  const outfile = join(folder, `${program}.cjs`)
  const page = program === 'flux-metrics' ? await buildPage() : undefined
  const plugins = page === undefined ? [] : [embed(page)]
  const { outputFiles, metafile } = await build({ ...optionsOf(recipe), outfile, plugins })
  const code = outputFiles.map(({ text }) => text).join('')
  const packages = await packagesOf(ROOT, [...filesIn(metafile), ...(page?.sources ?? [])])
  const notice = thirdPartyNotice(program, packages)
  await mkdir(folder, { recursive: true })
  if (recipe.licences === 'beside') {
    await writeFile(join(folder, `${program}.LICENSES.txt`), notice)
    await writeFile(outfile, toAscii(code))
  } else {
    await writeFile(outfile, toAscii(`${code}\n${asComment(notice)}`))
    await chmod(outfile, 0o755)
  }
  return outfile
}

/** The files of which something is left in the bundle. */
function filesIn({ outputs }: Metafile): readonly string[] {
  return Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs))
}

/** The page of `flux-metrics dashboard` goes into the bundle as it is: where that runs there are no sources to build it from. */
function embed({ files }: BuiltPage): Plugin {
  const contents = `const FILES = ${JSON.stringify(files)}
export const readPageFiles = async () => new Map(Object.entries(FILES))`
  return {
    name: 'page',
    setup: ({ onLoad }) => {
      onLoad({ filter: /[\\/]cli[\\/]dashboard[\\/]page-files\.ts$/ }, () => ({ contents }))
    },
  }
}

/**
 * CommonJS starts faster and in less memory than a bundled ES module (no shim for `require`). Minifying would raise memory
 * at start and make stack traces unreadable.
 */
function optionsOf({ main, target }: Recipe) {
  return {
    absWorkingDir: ROOT,
    entryPoints: [main],
    bundle: true,
    platform: 'node',
    target,
    format: 'cjs',
    minify: false,
    legalComments: 'eof',
    logLevel: 'warning',
    // The names of files are in the bundle: without this they would depend on where a linked node_modules really is.
    preserveSymlinks: true,
    // koa's dependencies bring three copies of the same list of media types.
    alias: { 'mime-db': join(ROOT, 'node_modules/koa/node_modules/mime-db') },
    // An image is built without tsconfig.json, whose settings change the bytes.
    tsconfigRaw: {},
    metafile: true,
    write: false,
  } as const satisfies BuildOptions
}

/**
 * Writes other characters as escapes. esbuild does that in strings, but not in comments and regular expressions, where an
 * escape means the same. V8 keeps the source of a program, and needs two bytes for each of its characters if one of them
 * is not in Latin-1: 2 MiB more.
 */
function toAscii(source: string): string {
  return source.replace(/[^\0-\x7f]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

function asComment(text: string): string {
  return text.replace(/^(?=.)/gm, '// ').replace(/^$/gm, '//')
}

function isProgram(name: string): name is Program {
  return name in PROGRAMS
}

const USAGE = `Usage: npm run build -- [PROGRAM]...

Builds each program as one file, dist/PROGRAM.cjs.

  PROGRAM  ${NAMES.join(', ')} [all of them]

Exit codes: 0 all are built; 1 one is not; 2 wrong usage.
`

/** The programs named on the command line; all programs if there are no names. Images are built without the command line's code. */
function wantedPrograms(names: readonly string[]): readonly Program[] {
  if (names.includes('--help') || names.includes('-h')) {
    process.stdout.write(USAGE)
    process.exit(0)
  }
  const wrong = names.find((name) => !isProgram(name))
  if (wrong !== undefined) {
    process.stderr.write(`expected some of ${NAMES.join(', ')}, got "${wrong}"\n\n${USAGE}`)
    process.exit(2)
  }
  return names.length === 0 ? NAMES : names.filter(isProgram)
}

if (import.meta.main) {
  for (const program of wantedPrograms(process.argv.slice(2))) {
    const file = await bundle(program)
    const { size } = await stat(file)
    process.stdout.write(`${relative(ROOT, file)}: ${Math.ceil(size / 1024)} KiB\n`)
  }
}
