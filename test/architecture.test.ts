// Holds the sources to the table of who may import whom, and the top folder to what may stand in it.
import assert from 'node:assert/strict'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')

/** Folders (or files) of sources, the folders they may import besides their own, and the packages. */
const ALLOWED: Readonly<
  Record<string, { readonly folders: readonly string[]; readonly packages: readonly string[] }>
> = {
  'sidecar/flux': { folders: [], packages: [] },
  'sidecar/metrics': { folders: ['sidecar/flux'], packages: [] },
  'sidecar/serving': {
    folders: [],
    packages: ['koa', 'pino', '@peculiar/x509', 'reflect-metadata'],
  },
  'sidecar/api': {
    folders: ['sidecar/metrics', 'sidecar/serving'],
    packages: ['koa', 'koa-router', 'prom-client'],
  },
  sidecar: {
    folders: ['sidecar/flux', 'sidecar/metrics', 'sidecar/serving', 'sidecar/api'],
    packages: [],
  },
}

const X509_PACKAGES = ['@peculiar/x509', 'reflect-metadata']

const ALIASES: Readonly<Record<string, string>> = {
  '#flux': 'sidecar/flux',
  '#metrics': 'sidecar/metrics',
  '#api': 'sidecar/api',
  '#serving': 'sidecar/serving',
}

const SPECIFIER =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+'([^']+)'|(?:^|\n)import\s+'([^']+)'|import\('([^']+)'\)/g

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return [...text.matchAll(SPECIFIER)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** The project's file that a specifier means, or `undefined` for a package. */
function fileOf(specifier: string, importer: string): string | undefined {
  if (specifier.startsWith('.')) return relative(ROOT, join(ROOT, dirname(importer), specifier))
  const [alias = '', ...rest] = specifier.split('/')
  const folder = ALIASES[alias]
  return folder === undefined ? undefined : join(folder, ...rest)
}

const sources = globSync('sidecar/**/*.ts', { cwd: ROOT })

test('there are sources to check', () => {
  assert.ok(sources.length > 20)
})

for (const file of sources) {
  test(`${file} imports only what its folder may import`, () => {
    const folder = dirname(file)
    const allowed = ALLOWED[folder]
    assert.ok(allowed, `no rule for folder "${folder}"`)
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('node:') || specifier === '../package.json') continue
      const target = fileOf(specifier, file)
      if (target === undefined) {
        assert.ok(allowed.packages.includes(specifier), `package "${specifier}"`)
        if (X509_PACKAGES.includes(specifier)) assert.equal(file, 'sidecar/serving/self-signed.ts')
      } else {
        const targetFolder = dirname(target)
        assert.ok([folder, ...allowed.folders].includes(targetFolder), `"${specifier}"`)
      }
    }
  })
}

test('no import leads back to where it came from', () => {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `cycle: ${[...path, file].join(' → ')}`)
    if (done.has(file)) return
    for (const specifier of importsOf(file)) {
      const target = fileOf(specifier, file)
      if (target?.endsWith('.ts')) visit(target, [...path, file])
    }
    done.add(file)
  }
  for (const file of sources) visit(file, [])
})

test('the environment is read by the programs alone', () => {
  const readers = sources.filter((file) =>
    readFileSync(join(ROOT, file), 'utf8').includes('process.env'),
  )
  assert.deepEqual(readers, ['sidecar/main.ts'])
})

test('the top folder holds four folders, the fixed files and the usual ones', () => {
  const allowed = new Set([
    'sidecar',
    'webhook',
    'manifests',
    'test',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'Dockerfile.sidecar',
    'Dockerfile.webhook',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'biome.json',
    'node_modules',
    'dist',
  ])
  const others = readdirSync(ROOT).filter((name) => !name.startsWith('.') && !allowed.has(name))
  assert.deepEqual(others, [])
})
