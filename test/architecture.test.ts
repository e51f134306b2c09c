// Holds the sources to the table of who may import whom, and the top folder to what may stand in it.
import assert from 'node:assert/strict'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')

const X509_PACKAGES = ['@peculiar/x509', 'reflect-metadata']
const CLIENT_PACKAGE = '@kubernetes/client-node/dist/config.js'

/** Folders of sources, the folders (or single files) they may import besides their own, and the packages. */
const ALLOWED: Readonly<
  Record<string, { readonly folders: readonly string[]; readonly packages: readonly string[] }>
> = {
  'sidecar/flux': { folders: [], packages: [] },
  'sidecar/metrics': {
    folders: ['sidecar/flux', 'sidecar/metrics/hpa', 'sidecar/metrics/user-metrics'],
    packages: ['valibot'],
  },
  'sidecar/metrics/hpa': { folders: [], packages: [] },
  'sidecar/metrics/user-metrics': {
    folders: ['sidecar/flux', 'sidecar/metrics'],
    packages: ['@marcbachmann/cel-js', 'yaml'],
  },
  'sidecar/serving': {
    folders: [],
    packages: ['koa', 'pino', 'prom-client', ...X509_PACKAGES],
  },
  'sidecar/identity': { folders: ['sidecar/serving'], packages: [] },
  'sidecar/api': {
    folders: ['sidecar/metrics', 'sidecar/serving'],
    packages: ['koa', 'koa-router', 'prom-client'],
  },
  sidecar: {
    folders: [
      'sidecar/flux',
      'sidecar/metrics',
      'sidecar/serving',
      'sidecar/api',
      'sidecar/identity',
    ],
    packages: [],
  },
  webhook: {
    folders: ['sidecar/flux/fluxion.ts', 'sidecar/serving', 'webhook/authority'],
    packages: [
      'koa',
      'koa-router',
      'prom-client',
      'valibot',
      'jsonpatch',
      'smol-toml',
      CLIENT_PACKAGE,
    ],
  },
  'webhook/authority': { folders: ['sidecar/serving', 'webhook'], packages: ['valibot'] },
  'webhook/cli': {
    folders: [
      'sidecar/flux',
      'sidecar/metrics',
      'sidecar/metrics/hpa',
      'sidecar/serving',
      'webhook',
      'webhook/cli/simulation',
    ],
    packages: ['diff', 'valibot', 'yaml'],
  },
  'webhook/cli/simulation': {
    folders: [
      'sidecar/flux',
      'sidecar/metrics',
      'sidecar/metrics/hpa',
      'webhook/cli/simulation/instance',
    ],
    packages: [],
  },
  'webhook/cli/simulation/instance': { folders: ['sidecar/flux'], packages: [] },
}

/** Packages that one file alone imports. */
const SOLE_IMPORTERS: Readonly<Record<string, string>> = {
  '@peculiar/x509': 'sidecar/serving/x509.ts',
  'reflect-metadata': 'sidecar/serving/x509.ts',
  [CLIENT_PACKAGE]: 'webhook/cluster.ts',
  jsonpatch: 'webhook/patch.ts',
  'smol-toml': 'webhook/broker-config.ts',
  '@marcbachmann/cel-js': 'sidecar/metrics/user-metrics/expression.ts',
}

/** What decides and patches: values in, values out, so that the command line can do the same without a cluster. */
const PURE = [
  'annotations',
  'broker-config',
  'decision',
  'minicluster',
  'minicluster-advice',
  'patch',
  'plan',
  'pod',
  'quantity',
  'review',
  'scheduler-advice',
  'sidecar-container',
  'sidecar-volumes',
  'socket',
].map((name) => `webhook/${name}.ts`)

/** What pure files may use of others: values in, values out, as they are. */
const PURE_ELSEWHERE = [
  'sidecar/flux/fluxion.ts',
  'sidecar/serving/nearest.ts',
  'sidecar/serving/status.ts',
]

/** Imported by pure files for types alone. */
const TYPES_ONLY = ['webhook/events.ts']

const ALIASES: Readonly<Record<string, string>> = {
  '#flux': 'sidecar/flux',
  '#metrics': 'sidecar/metrics',
  '#api': 'sidecar/api',
  '#serving': 'sidecar/serving',
  '#simulation': 'webhook/cli/simulation',
}

const SPECIFIER =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+'([^']+)'|(?:^|\n)import\s+'([^']+)'|import\('([^']+)'\)/g

/** What is left of them when types are erased. */
const VALUE_SPECIFIER = new RegExp(
  SPECIFIER.source.replace('(?:import|export)\\s', '(?:import|export)\\s(?!type\\s)'),
  'g',
)

function importsOf(file: string, pattern = SPECIFIER): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** The project's file that a specifier means, or `undefined` for a package. */
function fileOf(specifier: string, importer: string): string | undefined {
  if (specifier.startsWith('.')) return relative(ROOT, join(ROOT, dirname(importer), specifier))
  const [alias = '', ...rest] = specifier.split('/')
  const folder = ALIASES[alias]
  return folder === undefined ? undefined : join(folder, ...rest)
}

const sources = globSync('{sidecar,webhook}/**/*.ts', { cwd: ROOT })

test('there are sources to check', () => {
  assert.ok(sources.length > 20)
})

for (const file of sources) {
  test(`${file} imports only what its folder may import`, () => {
    const folder = dirname(file)
    const allowed = ALLOWED[folder]
    assert.ok(allowed, `no rule for folder "${folder}"`)
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('node:') || /^(\.\.\/)+package\.json$/.test(specifier)) continue
      const target = fileOf(specifier, file)
      if (target === undefined) {
        assert.ok(allowed.packages.includes(specifier), `package "${specifier}"`)
        assert.equal(SOLE_IMPORTERS[specifier] ?? file, file, `package "${specifier}"`)
      } else {
        const targetFolder = dirname(target)
        const places = [folder, ...allowed.folders]
        assert.ok(places.includes(targetFolder) || places.includes(target), `"${specifier}"`)
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

for (const file of PURE) {
  test(`${file} does no I/O`, () => {
    for (const specifier of importsOf(file)) {
      assert.ok(!['koa', CLIENT_PACKAGE].includes(specifier), `"${specifier}"`)
      assert.ok(!/^node:(?!path$)/.test(specifier), `"${specifier}"`)
      const target = fileOf(specifier, file)
      const isPure = target === undefined || PURE.includes(target)
      assert.ok(isPure || [...PURE_ELSEWHERE, ...TYPES_ONLY].includes(target), specifier)
    }
  })
}

test('the command line asks no cluster', () => {
  const reached = new Set<string>()
  const visit = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const specifier of importsOf(file, VALUE_SPECIFIER)) {
      assert.notEqual(specifier, CLIENT_PACKAGE, file)
      const target = fileOf(specifier, file)
      if (target?.endsWith('.ts')) visit(target)
    }
  }
  visit('webhook/cli/main.ts')
  assert.ok(reached.has('webhook/decision.ts'))
})

test('the environment is read by the programs alone', () => {
  const readers = sources.filter((file) =>
    readFileSync(join(ROOT, file), 'utf8').includes('process.env'),
  )
  const programs = ['sidecar/main.ts', 'webhook/cli/main.ts', 'webhook/main.ts']
  assert.deepEqual(readers.sort(), programs)
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
