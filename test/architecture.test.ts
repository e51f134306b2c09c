// Checks the sources against the table of allowed imports, and the top folder against the list of its files.
import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { drawArchitecture, PATH } from './support/architecture-picture.ts'
import { fileOf, importsOf, ROOT, SOURCES, VALUE_SPECIFIER } from './support/imports.ts'

const X509_PACKAGES = ['@peculiar/x509', 'reflect-metadata']
const CLIENT_PACKAGE = '@kubernetes/client-node/dist/config.js'

/** The imports of a folder of sources, besides its own files. */
interface Rule {
  /** Folders, or single files. */
  readonly folders: readonly string[]
  readonly packages: readonly string[]
}

const NOTHING: Rule = { folders: [], packages: [] }

const FLUX = ['sidecar/flux', 'sidecar/flux/sets', 'sidecar/flux/wire', 'sidecar/flux/calls']
const READING = [...FLUX, 'sidecar/reading', 'sidecar/reading/jobs', 'sidecar/reading/ranks']
/** Files of the room itself, which its folders may import. */
const READING_GROUND = ['sidecar/reading/facts.ts', 'sidecar/reading/unknown.ts']
/** Without the connection: what decides makes no calls. */
const FACTS = [
  'sidecar/flux',
  'sidecar/flux/sets',
  'sidecar/flux/calls',
  'sidecar/reading',
  'sidecar/reading/jobs',
  'sidecar/reading/ranks',
]
const SCALING = [
  ...FACTS,
  'sidecar/scaling',
  'sidecar/scaling/placement',
  'sidecar/scaling/drains',
  'sidecar/scaling/unstarted',
]
const METRICS = [...SCALING, 'sidecar/metrics']
const USER_METRICS = [...METRICS, 'sidecar/metrics/user-metrics', 'sidecar/serving']
const EXPLAINING = [
  ...METRICS,
  'sidecar/explaining',
  'sidecar/explaining/jobs',
  'sidecar/explaining/notices',
  'sidecar/serving/text.ts',
]
const COLLECTING = [
  ...EXPLAINING,
  'sidecar/flux/wire',
  'sidecar/collecting',
  'sidecar/serving',
  'sidecar/serving/waiting',
]
const HTTPS = [
  'sidecar/serving',
  'sidecar/serving/waiting',
  'sidecar/serving/certificates',
  'sidecar/serving/limits',
  'sidecar/serving/https',
]
const API = ['sidecar/api', 'sidecar/api/selectors', 'sidecar/api/documents', 'sidecar/api/gauges']
const BELOW_API = [
  'sidecar/metrics',
  'sidecar/scaling',
  'sidecar/serving',
  'sidecar/serving/https/client-verifier.ts',
]

const WEBHOOK_GROUND = [
  'webhook/contract.ts',
  'webhook/telemetry.ts',
  'sidecar/serving',
  'sidecar/serving/limits',
  'sidecar/serving/waiting',
]
const OBJECTS = ['webhook/contract.ts', 'sidecar/serving', 'webhook/objects']
const INJECTION = [
  ...WEBHOOK_GROUND,
  'webhook/objects',
  'webhook/injection',
  'webhook/injection/resources',
]
const KUBERNETES = [
  ...WEBHOOK_GROUND,
  'webhook/objects',
  'webhook/kubernetes',
  'webhook/kubernetes/connection',
  'webhook/kubernetes/aggregation',
]
const EVENTS = [...INJECTION, ...KUBERNETES, 'webhook/events']
const ADVICE = [
  ...INJECTION,
  'webhook/events/event.ts',
  'sidecar/flux/calls/fluxion.ts',
  'sidecar/reading/ranks/pod-ranks.ts',
]
const LOOK_UPS = [...INJECTION, ...KUBERNETES, 'webhook/admission/decision.ts']
const ADMISSION = [
  ...EVENTS,
  'webhook/admission',
  'webhook/admission/advice',
  'webhook/admission/look-ups',
]
const RECONCILE = [...ADMISSION, 'webhook/reconcile']
const AUTHORITY = [...KUBERNETES, ...HTTPS, 'webhook/authority']
const IDENTITIES = [...ADMISSION, ...AUTHORITY, 'webhook/identities']

const SIMULATED_PARTS = [
  'sidecar/simulation/nodes',
  'sidecar/simulation/jobs',
  'sidecar/simulation/scheduling',
]
const SIMULATION = [...FLUX, 'sidecar/simulation', ...SIMULATED_PARTS]
const CLI_INPUT = [
  ...INJECTION,
  'sidecar/api/api-group.ts',
  'sidecar/flux/sets',
  'sidecar/metrics',
  'sidecar/metrics/user-metrics/bounded-yaml.ts',
  'webhook/kubernetes/server-version.ts',
  'webhook/cli/command.ts',
  'webhook/cli/input',
  'webhook/cli/input/files',
  'webhook/cli/input/cluster',
]
const CLI_OUTPUT = [
  'sidecar/serving/text.ts',
  'webhook/cli/command.ts',
  'webhook/cli/input/files',
  'webhook/cli/output',
]
const CLI_GROUND = [...CLI_INPUT, ...CLI_OUTPUT]
const HPA_CONTROLLER = 'webhook/cli/hpa-controller'
const PAGE = 'webhook/cli/dashboard/page'
const SIMULATE = ['webhook/cli/simulate']
const CLI_HPA = [...CLI_GROUND, ...ADMISSION, 'webhook/cli/hpa', HPA_CONTROLLER]
const DOCTOR_FACTS = [
  ...CLI_GROUND,
  ...ADMISSION,
  'webhook/gateway/shortage',
  'sidecar/api',
  'sidecar/api/selectors',
]
const DOCTOR_RULES = [
  ...DOCTOR_FACTS,
  'webhook/gateway/shortage',
  'webhook/reconcile/announcement.ts',
  'webhook/cli/hpa',
  'webhook/cli/doctor',
  'webhook/cli/doctor/facts',
  'webhook/cli/doctor/rules',
  'sidecar/explaining',
]

/**
 * The rooms, those with the fewest imports first. Data flows up: from the socket's bytes (flux) to facts (reading), sizes
 * (scaling), numbers (metrics) and words (explaining), and to the clients (api).
 */
const ALLOWED: Readonly<Record<string, Rule>> = {
  'sidecar/flux': NOTHING,
  'sidecar/flux/wire': { folders: ['sidecar/flux'], packages: [] },
  'sidecar/flux/sets': { folders: ['sidecar/flux', 'sidecar/flux/wire'], packages: [] },
  'sidecar/flux/calls': { folders: FLUX, packages: [] },
  'sidecar/serving': {
    folders: [],
    packages: ['koa', 'pino', 'prom-client'],
  },
  'sidecar/serving/waiting': NOTHING,
  'sidecar/serving/certificates': NOTHING,
  'sidecar/serving/limits': NOTHING,
  'sidecar/serving/https': { folders: HTTPS, packages: ['prom-client'] },
  'sidecar/identity': { folders: HTTPS, packages: [] },
  'sidecar/simulation/nodes': { folders: ['sidecar/flux/sets'], packages: [] },
  'sidecar/simulation/jobs': { folders: ['sidecar/simulation/nodes'], packages: [] },
  'sidecar/simulation/scheduling': { folders: SIMULATED_PARTS, packages: [] },
  'sidecar/simulation': { folders: SIMULATION, packages: [] },
  'sidecar/reading': { folders: READING, packages: [] },
  'sidecar/reading/jobs': { folders: [...FLUX, ...READING_GROUND], packages: [] },
  'sidecar/reading/ranks': { folders: [...FLUX, ...READING_GROUND], packages: [] },
  'sidecar/scaling': { folders: SCALING, packages: [] },
  'sidecar/scaling/placement': { folders: [...FACTS, 'sidecar/scaling/ranks.ts'], packages: [] },
  'sidecar/scaling/drains': { folders: [...FACTS, 'sidecar/scaling/ranks.ts'], packages: [] },
  'sidecar/scaling/unstarted': {
    folders: [...FACTS, 'sidecar/scaling/ranks.ts', 'sidecar/scaling/placement'],
    packages: [],
  },
  'sidecar/metrics': { folders: METRICS, packages: [] },
  'sidecar/metrics/user-metrics': {
    folders: USER_METRICS,
    packages: ['@marcbachmann/cel-js', 'valibot', 'yaml'],
  },
  'sidecar/explaining': { folders: EXPLAINING, packages: [] },
  'sidecar/explaining/jobs': { folders: EXPLAINING, packages: [] },
  'sidecar/explaining/notices': { folders: EXPLAINING, packages: [] },
  'sidecar/collecting': { folders: COLLECTING, packages: [] },
  'sidecar/api': {
    folders: [...BELOW_API, 'sidecar/explaining', ...API],
    packages: ['koa', 'koa-router'],
  },
  'sidecar/api/selectors': { folders: ['sidecar/serving'], packages: [] },
  'sidecar/api/documents': {
    folders: ['sidecar/metrics', 'sidecar/api'],
    packages: ['koa', 'koa-router'],
  },
  'sidecar/api/gauges': {
    folders: [
      ...BELOW_API,
      'sidecar/reading',
      'sidecar/reading/jobs',
      'sidecar/collecting',
      'sidecar/api/documents',
    ],
    packages: ['koa-router', 'prom-client'],
  },
  sidecar: {
    folders: [...COLLECTING, ...USER_METRICS, ...API, ...HTTPS, 'sidecar/identity'],
    packages: [],
  },
  webhook: {
    folders: [...IDENTITIES, ...RECONCILE],
    packages: ['koa', 'koa-router', 'prom-client'],
  },
  'webhook/objects': { folders: OBJECTS, packages: ['valibot'] },
  'webhook/injection': { folders: INJECTION, packages: ['jsonpatch'] },
  'webhook/injection/resources': { folders: INJECTION, packages: ['valibot'] },
  'webhook/kubernetes/connection': {
    folders: [
      'webhook/kubernetes/api-path.ts',
      'webhook/objects',
      'sidecar/serving',
      'sidecar/serving/limits',
    ],
    packages: ['valibot'],
  },
  'webhook/kubernetes/aggregation': {
    folders: [...WEBHOOK_GROUND, 'webhook/objects', 'webhook/kubernetes'],
    packages: ['valibot'],
  },
  'webhook/kubernetes': {
    folders: [...WEBHOOK_GROUND, 'webhook/objects', 'webhook/kubernetes/connection'],
    packages: [CLIENT_PACKAGE],
  },
  'webhook/events': { folders: EVENTS, packages: [] },
  'webhook/admission/advice': { folders: ADVICE, packages: ['smol-toml', 'valibot'] },
  'webhook/admission/look-ups': { folders: LOOK_UPS, packages: ['valibot'] },
  'webhook/admission': { folders: ADMISSION, packages: ['valibot'] },
  'webhook/reconcile': { folders: RECONCILE, packages: ['prom-client', 'valibot'] },
  'webhook/authority': { folders: AUTHORITY, packages: ['valibot', ...X509_PACKAGES] },
  'webhook/identities': { folders: IDENTITIES, packages: ['valibot'] },
  'webhook/gateway/peers': {
    folders: [...LOOK_UPS, 'webhook/gateway/bounded-look-ups.ts'],
    packages: ['valibot'],
  },
  'webhook/gateway/connections': {
    folders: [
      'webhook/gateway/peers',
      'webhook/gateway/circuit.ts',
      'sidecar/serving',
      'sidecar/serving/certificates',
      'sidecar/serving/limits',
    ],
    packages: [],
  },
  'webhook/gateway/asking': {
    folders: [
      'webhook/gateway/peers',
      'webhook/gateway/connections',
      'sidecar/api',
      'sidecar/metrics',
      'sidecar/serving',
      'sidecar/serving/limits',
    ],
    packages: [],
  },
  'webhook/gateway/shortage': {
    folders: [
      ...KUBERNETES,
      'webhook/gateway/peers',
      'webhook/gateway/bounded-look-ups.ts',
      'sidecar/explaining',
      'sidecar/flux/sets',
    ],
    packages: ['prom-client', 'valibot'],
  },
  'webhook/gateway/publishing': {
    folders: [
      'webhook/contract.ts',
      'webhook/events/event.ts',
      'webhook/kubernetes',
      'sidecar/serving',
      'sidecar/serving/waiting',
      'sidecar/api',
    ],
    packages: ['prom-client', 'valibot'],
  },
  'webhook/gateway/scraping': {
    folders: ['webhook/gateway/peers', 'webhook/gateway/asking', 'sidecar/serving'],
    packages: [],
  },
  'webhook/gateway/upstream': {
    folders: [
      'sidecar/api',
      'sidecar/api/documents',
      'sidecar/identity',
      'sidecar/serving',
      'sidecar/serving/waiting',
      'sidecar/serving/https',
      'webhook/gateway/circuit.ts',
      'sidecar/serving/limits',
    ],
    packages: ['koa'],
  },
  'webhook/gateway/routing': {
    folders: [
      'webhook/contract.ts',
      'webhook/health.ts',
      'webhook/gateway/peers',
      'webhook/gateway/asking',
      'webhook/gateway/shortage',
      'webhook/gateway/upstream/upstream.ts',
      'sidecar/explaining',
      'sidecar/api',
      'sidecar/api/documents',
      'sidecar/api/selectors',
      'sidecar/metrics',
      'sidecar/serving',
      'sidecar/serving/limits',
      'sidecar/serving/https/client-verifier.ts',
    ],
    packages: ['koa', 'koa-router', 'valibot'],
  },
  'webhook/gateway': {
    folders: [
      'webhook/contract.ts',
      'webhook/health.ts',
      'webhook/kubernetes',
      'webhook/gateway/peers',
      'webhook/gateway/asking',
      'webhook/gateway/connections',
      'webhook/gateway/publishing',
      'webhook/gateway/routing',
      'webhook/gateway/scraping',
      'webhook/gateway/shortage',
      'webhook/gateway/upstream',
      'sidecar/api',
      'sidecar/identity',
      'sidecar/metrics',
      'sidecar/serving',
      'sidecar/serving/waiting',
      'sidecar/serving/certificates',
      'sidecar/serving/limits',
      'sidecar/serving/https',
    ],
    packages: ['prom-client'],
  },
  'webhook/cli': {
    folders: [
      ...CLI_GROUND,
      'webhook/cli/inject',
      'webhook/cli/hpa',
      'webhook/cli/simulate',
      'webhook/cli/explain',
      'webhook/cli/top',
      'webhook/cli/dashboard',
      'webhook/cli/doctor',
      'webhook/cli/adopt',
    ],
    packages: [],
  },
  'webhook/cli/input': { folders: ['webhook/kubernetes/server-version.ts'], packages: [] },
  'webhook/cli/input/files': {
    folders: [
      'webhook/cli/command.ts',
      'webhook/objects',
      'sidecar/metrics/user-metrics/bounded-yaml.ts',
    ],
    packages: ['valibot', 'yaml'],
  },
  'webhook/cli/input/cluster': { folders: CLI_INPUT, packages: ['valibot'] },
  'webhook/cli/output': { folders: CLI_OUTPUT, packages: ['diff', 'yaml'] },
  'webhook/cli/inject': {
    folders: [...CLI_GROUND, ...ADMISSION, 'webhook/cli/inject', 'webhook/cli/controllers'],
    packages: ['valibot', 'yaml'],
  },
  'webhook/cli/controllers': { folders: CLI_GROUND, packages: [] },
  'webhook/cli/hpa': { folders: [...CLI_HPA, 'webhook/cli/controllers'], packages: [] },
  [HPA_CONTROLLER]: NOTHING,
  'webhook/cli/simulate/input': {
    folders: [...CLI_HPA, ...METRICS, ...SIMULATION, ...SIMULATE],
    packages: ['valibot'],
  },
  'webhook/cli/simulate/drawing': { folders: SIMULATE, packages: [] },
  'webhook/cli/simulate': {
    folders: [
      ...CLI_HPA,
      ...METRICS,
      ...SIMULATION,
      ...SIMULATE,
      'webhook/cli/simulate/input',
      'webhook/cli/simulate/drawing',
    ],
    packages: [],
  },
  'webhook/cli/adopt': {
    folders: [...CLI_GROUND, 'webhook/contract.ts', 'sidecar/serving/text.ts', 'webhook/cli/adopt'],
    packages: ['valibot'],
  },
  'webhook/cli/doctor/facts': {
    folders: [...DOCTOR_FACTS, 'webhook/cli/doctor/facts'],
    packages: ['valibot'],
  },
  'webhook/cli/doctor/rules': {
    folders: [...DOCTOR_RULES, 'webhook/cli/doctor/rules/hpas'],
    packages: ['valibot'],
  },
  'webhook/cli/doctor/rules/hpas': {
    folders: [...DOCTOR_RULES, 'sidecar/scaling', HPA_CONTROLLER],
    packages: [],
  },
  'webhook/cli/doctor': {
    folders: [...DOCTOR_RULES, ...CLI_OUTPUT, 'webhook/cli/doctor/rules/hpas'],
    packages: [],
  },
  'webhook/cli/explain': {
    folders: [...CLI_GROUND, 'webhook/cli/explain'],
    packages: ['yaml'],
  },
  'webhook/cli/top': {
    folders: [...CLI_GROUND, 'sidecar/explaining', 'webhook/cli/top'],
    packages: [],
  },
  'webhook/cli/dashboard': {
    folders: [...CLI_GROUND, 'sidecar/serving/text.ts', 'webhook/cli/hpa', 'webhook/cli/dashboard'],
    packages: ['esbuild', 'valibot'],
  },
  // In the browser: no node:, and of other rooms only what is pure.
  [`${PAGE}/browser`]: {
    folders: ['webhook/cli/dashboard/data.ts'],
    packages: ['preact/hooks'],
  },
  [`${PAGE}/ranks`]: {
    folders: [
      'sidecar/explaining/wording.ts',
      'sidecar/flux/sets',
      'webhook/cli/input/cluster/explanation.ts',
      'webhook/cli/output/rank-words.ts',
      `${PAGE}/browser`,
    ],
    packages: ['preact', 'preact/hooks'],
  },
  [`${PAGE}/hour`]: {
    folders: ['webhook/cli/input/cluster/explanation.ts', `${PAGE}/browser`],
    packages: ['preact', 'preact/hooks', 'uplot'],
  },
  [PAGE]: {
    folders: [
      'sidecar/explaining/wording.ts',
      'webhook/cli/dashboard/data.ts',
      'webhook/cli/dashboard/overview.ts',
      'webhook/cli/input/cluster/explanation.ts',
      `${PAGE}/browser`,
      `${PAGE}/ranks`,
      `${PAGE}/hour`,
    ],
    packages: ['preact', 'preact/hooks'],
  },
}

/** Packages that only one file may import. */
const SOLE_IMPORTERS: Readonly<Record<string, string>> = {
  '@peculiar/x509': 'webhook/authority/x509.ts',
  'reflect-metadata': 'webhook/authority/x509.ts',
  [CLIENT_PACKAGE]: 'webhook/kubernetes/api-server.ts',
  jsonpatch: 'webhook/injection/json-patch.ts',
  'smol-toml': 'webhook/admission/advice/broker-config.ts',
  '@marcbachmann/cel-js': 'sidecar/metrics/user-metrics/expression.ts',
  esbuild: 'webhook/cli/dashboard/page-build.ts',
  uplot: 'webhook/cli/dashboard/page/hour/chart.ts',
}

/** Files that decide and patch. They do no I/O, so that the command line can do the same without a cluster. */
const PURE = [
  ...globSync('webhook/objects/*.ts', { cwd: ROOT }),
  ...globSync('webhook/injection/**/*.ts', { cwd: ROOT }),
  ...globSync('webhook/admission/advice/*.ts', { cwd: ROOT }),
  ...['decision', 'minicluster-review', 'obstacle', 'outcome', 'pod-review', 'review', 'skip'].map(
    (name) => `webhook/admission/${name}.ts`,
  ),
  'webhook/events/event.ts',
  'webhook/reconcile/announcement.ts',
  'sidecar/serving/json-bounds.ts',
]

/** Files of other rooms that pure files may import. They do no I/O either. */
const PURE_ELSEWHERE = [
  'sidecar/flux/calls/fluxion.ts',
  'sidecar/reading/ranks/pod-ranks.ts',
  'sidecar/serving/nearest.ts',
  'sidecar/serving/status.ts',
  'sidecar/serving/text.ts',
  'webhook/contract.ts',
]

/** Files of which pure files import only types. */
const TYPES_ONLY = ['webhook/admission/later-events.ts']

test('there are sources to check', () => {
  assert.ok(SOURCES.length > 20)
})

for (const file of SOURCES) {
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

test('every folder, place and package in the table is used', () => {
  const folders = new Set(SOURCES.map((file) => dirname(file)))
  assert.deepEqual(
    Object.keys(ALLOWED).filter((folder) => !folders.has(folder)),
    [],
  )
  const imported = new Set<string>()
  for (const file of SOURCES) {
    const folder = dirname(file)
    for (const specifier of importsOf(file)) {
      const target = fileOf(specifier, file)
      if (target === undefined) imported.add(`${folder}: ${specifier}`)
      else if (dirname(target) !== folder) imported.add(target).add(dirname(target))
    }
  }
  const named = Object.entries(ALLOWED).flatMap(([folder, rule]) => [
    ...rule.folders,
    ...rule.packages.map((name) => `${folder}: ${name}`),
  ])
  assert.deepEqual(
    named.filter((name) => !imported.has(name)),
    [],
  )
})

test('there are no import cycles', () => {
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
  for (const file of SOURCES) visit(file, [])
})

for (const file of PURE) {
  test(`${file} does no I/O`, () => {
    const values = importsOf(file, VALUE_SPECIFIER)
    for (const specifier of importsOf(file)) {
      assert.ok(!['koa', CLIENT_PACKAGE].includes(specifier), `"${specifier}"`)
      assert.ok(!/^node:(?!path$)/.test(specifier), `"${specifier}"`)
      const target = fileOf(specifier, file)
      if (target === undefined) continue
      const isPure = [...PURE, ...PURE_ELSEWHERE].includes(target)
      const isType = TYPES_ONLY.includes(target) && !values.includes(specifier)
      assert.ok(isPure || isType, specifier)
    }
  })
}

test('the command line imports no Kubernetes client', () => {
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
  assert.ok(reached.has('webhook/admission/decision.ts'))
})

test('the environment is read by the programs alone', () => {
  const readers = SOURCES.filter((file) =>
    readFileSync(join(ROOT, file), 'utf8').includes('process.env'),
  )
  const programs = ['sidecar', 'webhook/cli', 'webhook/gateway', 'webhook'].map(
    (folder) => `${folder}/main.ts`,
  )
  assert.deepEqual(readers.sort(), programs)
})

test('the picture in docs/ARCHITECTURE.md shows the imports as they are', () => {
  assert.equal(readFileSync(PATH, 'utf8'), drawArchitecture())
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
    'CONTRIBUTING.md',
    'SECURITY.md',
    'docs',
    'LICENSE',
    'biome.json',
    'node_modules',
    'dist',
  ])
  const others = readdirSync(ROOT).filter((name) => !name.startsWith('.') && !allowed.has(name))
  assert.deepEqual(others, [])
})

test('every file that docs/ARCHITECTURE.md names is there', () => {
  const text = readFileSync(join(ROOT, 'docs/ARCHITECTURE.md'), 'utf8')
  const named = [...text.matchAll(/`((?:sidecar|webhook|test)\/[^`\s]*)`/g)].map(([, path]) => path)
  assert.ok(named.length > 20)
  for (const path of named) assert.ok(existsSync(join(ROOT, path ?? '')), path)
})
