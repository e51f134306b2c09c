// Builds the page: one script, one style, and the files that need no building. Only where the sources and esbuild are.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

const ROOT = join(import.meta.dirname, '../../..')
const PAGE = join(import.meta.dirname, 'page')

const TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
} as const

/** The browsers of the last years: what the page uses is in all of them. */
const BROWSERS = ['chrome111', 'edge111', 'firefox128', 'safari16.4']

export interface PageFile {
  /** The content type. */
  readonly type: string
  readonly text: string
}

export interface BuiltPage {
  readonly files: Readonly<Record<string, PageFile>>
  /** What is in them, as paths from the project's root: packages of others, too. */
  readonly sources: readonly string[]
}

export async function buildPage(): Promise<BuiltPage> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { page: join(PAGE, 'main.ts'), style: join(PAGE, 'style.css') },
    outdir: PAGE,
    bundle: true,
    minify: true,
    format: 'esm',
    target: BROWSERS,
    legalComments: 'none',
    logLevel: 'silent',
    preserveSymlinks: true,
    // The settings for sources change the bytes, and are not where images are built.
    tsconfigRaw: {},
    metafile: true,
    write: false,
  })
  const textOf = (name: string) =>
    outputFiles.find(({ path }) => path === join(PAGE, name))?.text ?? ''
  const files = {
    'index.html': { type: TYPES.html, text: await readFile(join(PAGE, 'index.html'), 'utf8') },
    'icon.svg': { type: TYPES.svg, text: await readFile(join(PAGE, 'icon.svg'), 'utf8') },
    'page.js': { type: TYPES.js, text: textOf('page.js') },
    'style.css': { type: TYPES.css, text: textOf('style.css') },
  }
  const sources = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs))
  return { files, sources }
}
