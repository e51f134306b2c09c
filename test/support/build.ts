// Makes the bundles that images run: one CommonJS file a program, names kept readable. Development runs the sources.
import { stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { build } from 'esbuild'

const ROOT = join(import.meta.dirname, '..', '..')

/** Where each program starts; its bundle is `dist/NAME.cjs`. */
const PROGRAMS = { sidecar: 'sidecar/main.ts', webhook: 'webhook/main.ts' } as const

type Program = keyof typeof PROGRAMS

/**
 * Bundles a program into `folder`.
 *
 * CommonJS, because it starts faster and smaller than a bundled ES module (no shim for `require`), and not minified,
 * because that raises memory at start and ruins stack traces.
 *
 * @returns the path of the bundle
 */
export async function bundle(
  program: Program,
  folder: string = join(ROOT, 'dist'),
): Promise<string> {
  const outfile = join(folder, `${program}.cjs`)
  await build({
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
  })
  return outfile
}

/** Those named on the command line; all, if none is. */
function wantedPrograms(names: readonly string[]): readonly Program[] {
  const wanted = names.filter((name): name is Program => name in PROGRAMS)
  if (wanted.length < names.length) {
    throw new Error(`Cannot build ${names.join(' ')}: there are sidecar and webhook`)
  }
  return wanted.length > 0 ? wanted : ['sidecar', 'webhook']
}

if (import.meta.main) {
  for (const program of wantedPrograms(process.argv.slice(2))) {
    const file = await bundle(program)
    const { size } = await stat(file)
    process.stdout.write(`${relative(ROOT, file)}: ${Math.ceil(size / 1024)} KiB\n`)
  }
}
