// Makes the bundles that images run: one CommonJS file a program, names kept readable. Development runs the sources.
import { stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { build } from 'esbuild'

const ROOT = join(import.meta.dirname, '..', '..')

/** Where each program starts, and the file it becomes under `dist/`. */
const PROGRAMS = [{ entry: 'sidecar/main.ts', bundle: 'sidecar.cjs' }] as const

/**
 * Bundles every program into `folder`.
 *
 * CommonJS, because it starts faster and smaller than a bundled ES module (no shim for `require`), and not minified,
 * because that raises memory at start and ruins stack traces.
 */
export async function bundle(folder: string = join(ROOT, 'dist')): Promise<readonly string[]> {
  const files = PROGRAMS.map((program) => join(folder, program.bundle))
  await Promise.all(
    PROGRAMS.map(async ({ entry, bundle: name }) =>
      build({
        absWorkingDir: ROOT,
        entryPoints: [entry],
        outfile: join(folder, name),
        bundle: true,
        platform: 'node',
        target: 'node24',
        format: 'cjs',
        minify: false,
        legalComments: 'eof',
        logLevel: 'warning',
      }),
    ),
  )
  return files
}

if (import.meta.main) {
  for (const file of await bundle()) {
    const { size } = await stat(file)
    process.stdout.write(`${relative(ROOT, file)}: ${Math.ceil(size / 1024)} KiB\n`)
  }
}
