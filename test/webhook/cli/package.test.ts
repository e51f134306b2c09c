// The command line as people get it: packed, and installed elsewhere without a network.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import packageJson from '../../../package.json' with { type: 'json' }
import { ROOT } from '../../support/imports.ts'

const run = promisify(execFile)

/** npm with the settings of nobody. */
const npm = (cwd: string, ...args: string[]) =>
  run('npm', [...args, '--no-update-notifier', '--no-audit', '--no-fund'], { cwd })

const folder = await mkdtemp(join(tmpdir(), 'package-'))
after(async () => rm(folder, { recursive: true }))

const packed = JSON.parse(
  (await npm(ROOT, 'pack', '--json', '--silent', '--pack-destination', folder)).stdout,
)
const [{ filename, files, size }] = packed
const installed = await npm(
  folder,
  'install',
  '--offline',
  '--prefix',
  folder,
  join(folder, filename),
)

test('the package has the command line in one file, and what npm always adds', () => {
  assert.deepEqual(files.map(({ path }: { path: string }) => path).sort(), [
    'LICENSE',
    'README.md',
    'dist/flux-metrics.cjs',
    'package.json',
  ])
})

test('the package is small', () => {
  assert.ok(size < 400 * 1024, `${size} bytes`)
})

test('the package brings no other package', () => {
  assert.deepEqual(globSync('node_modules/*', { cwd: folder }), [
    'node_modules/flux-metrics-sidecar',
  ])
})

test('npm warns of nothing when it is installed', () => {
  assert.equal(installed.stderr, '')
})

test('npm does not publish the package', () => {
  assert.equal(packageJson.private, true)
})

test('nothing tells anybody to fetch it by its name, which is free for anybody in the npm registry', () => {
  const files = globSync(
    ['*.md', 'docs/**/*.md', 'manifests/**/*.{md,yaml,txt}', '{sidecar,webhook}/**/*.{ts,yaml}'],
    { cwd: ROOT },
  )
  assert.ok(files.length > 300)
  const telling = files.filter((file) =>
    /\bnp(x|m exec|m install( -g| --global)?) (kubectl-)?flux[-_]metrics/.test(
      readFileSync(join(ROOT, file), 'utf8'),
    ),
  )
  assert.deepEqual(telling, [])
})

for (const name of ['flux-metrics', 'kubectl-flux_metrics']) {
  test(`${name} is installed as a program`, async () => {
    const { stdout, stderr } = await run(join(folder, 'node_modules/.bin', name), ['--version'])
    assert.deepEqual({ stdout, stderr }, { stdout: `${packageJson.version}\n`, stderr: '' })
  })
}

/** The Node that runs the tests, and others that `FLUX_METRICS_NODES` names, as PATH names folders. */
const NODES = [
  process.execPath,
  ...(process.env.FLUX_METRICS_NODES ?? '').split(delimiter).filter((path) => path !== ''),
]

const PROGRAM = 'node_modules/flux-metrics-sidecar/dist/flux-metrics.cjs'

/** Looks for what a bundle takes out of Node's modules; types and lint know the newest Node alone. */
const NODE_FUNCTIONS = String.raw`
  const text = require('node:fs').readFileSync(process.argv[1], 'utf8')
  const found = []
  const imported = /var (import_node_\w+) = (?:__toESM\()?require\("(node:[\w/]+)"\)/g
  for (const [, variable, name] of text.matchAll(imported)) {
    for (const [, key] of text.matchAll(new RegExp('\\b' + variable + '\\.(?:default\\.)?(\\w+)', 'g'))) {
      found.push({ name: name + ' ' + key, isThere: key in require(name) })
    }
  }
  const missing = found.filter(({ isThere }) => !isThere).map(({ name }) => name)
  console.log(JSON.stringify({ seen: found.length, missing }))
`

for (const node of NODES) {
  const { stdout: version } = await run(node, ['--version'])
  const flux = (...args: string[]) =>
    run(node, [join(folder, 'node_modules/.bin/flux-metrics'), ...args], { cwd: ROOT })

  test(`it helps on Node ${version.trim()}`, async () => {
    const { stdout, stderr } = await flux('--help')
    assert.match(stdout, /^Usage: flux-metrics COMMAND/)
    assert.equal(stderr, '')
  })

  test(`Node ${version.trim()} has every function of Node that it calls`, async () => {
    const { stdout } = await run(node, ['-e', NODE_FUNCTIONS, join(folder, PROGRAM)])
    const { seen, missing } = JSON.parse(stdout)
    assert.ok(seen > 15, `${seen} seen`)
    assert.deepEqual(missing, [])
  })

  test(`it says which file cannot be read on Node ${version.trim()}`, async () => {
    const failed = flux('hpa', '-f', 'nowhere.yaml')
    const stderr = 'Cannot read nowhere.yaml: no such file or directory\n'
    await assert.rejects(failed, { code: 2, stderr })
  })

  test(`it writes the recommended HPA on Node ${version.trim()}`, async () => {
    const { stdout } = await flux('hpa', '-f', 'manifests/examples/minicluster.yaml')
    assert.match(stdout, /^kind: HorizontalPodAutoscaler$/m)
    assert.match(stdout, /^ +name: node_desired_count$/m)
  })

  test(`it injects the sidecar on Node ${version.trim()}`, async () => {
    const { stdout } = await flux('inject', '-f', 'manifests/examples/minicluster.yaml')
    assert.match(stdout, /^ +- name: flux-metrics$/m)
  })

  test(`it simulates a queue on Node ${version.trim()}`, async () => {
    const { stdout } = await flux('simulate', '-f', 'webhook/cli/examples/queue.yaml')
    assert.match(stdout, /^recommended +34 +1 +0 /m)
  })
}
