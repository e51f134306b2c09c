// Builds the bundles that the images run: one CommonJS file per program, not minified. Development runs the sources.
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { build } from 'esbuild'

const ROOT = join(import.meta.dirname, '..', '..')

/** The entry point of each program. Its bundle is `dist/NAME.cjs`. */
const PROGRAMS = {
  sidecar: 'sidecar/main.ts',
  webhook: 'webhook/main.ts',
  gateway: 'webhook/gateway/main.ts',
} as const

type Program = keyof typeof PROGRAMS

/**
 * Bundles a program into `folder`.
 *
 * CommonJS starts faster and in less memory than a bundled ES module (no shim for `require`). Minifying would raise memory
 * at start and make stack traces unreadable.
 *
 * @returns the path of the bundle
 */
export async function bundle(
  program: Program,
  folder: string = join(ROOT, 'dist'),
): Promise<string> {
  const outfile = join(folder, `${program}.cjs`)
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [PROGRAMS[program]],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: false,
    legalComments: 'eof',
    logLevel: 'warning',
    // koa's dependencies bring three copies of the same list of media types.
    alias: { 'mime-db': join(ROOT, 'node_modules/koa/node_modules/mime-db') },
    write: false,
  })
  await mkdir(dirname(outfile), { recursive: true })
  await writeFile(outfile, outputFiles.map(({ text }) => toAscii(text)).join(''))
  return outfile
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

/** The programs named on the command line; all programs if there are no names. */
function wantedPrograms(names: readonly string[]): readonly Program[] {
  const wanted = names.filter((name): name is Program => name in PROGRAMS)
  if (wanted.length < names.length) {
    throw new Error(`Cannot build "${names.join(' ')}": expected some of sidecar, webhook, gateway`)
  }
  return wanted.length > 0 ? wanted : ['sidecar', 'webhook', 'gateway']
}

if (import.meta.main) {
  for (const program of wantedPrograms(process.argv.slice(2))) {
    const file = await bundle(program)
    const { size } = await stat(file)
    process.stdout.write(`${relative(ROOT, file)}: ${Math.ceil(size / 1024)} KiB\n`)
  }
}
