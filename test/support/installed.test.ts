import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import packageJson from '../../package.json' with { type: 'json' }
import { ROOT } from './imports.ts'

interface Checkout {
  /** The Node that package.json asks for. */
  readonly wanted: string
  readonly isInstalled: boolean
}

/** What the check says in a checkout. */
async function check(t: TestContext, { wanted, isInstalled }: Checkout) {
  const folder = await mkdtemp(join(tmpdir(), 'installed-'))
  t.after(async () => rm(folder, { recursive: true }))
  const path = 'test/support/installed.cjs'
  await cp(join(ROOT, path), join(folder, path))
  const value = { devDependencies: { node: wanted } }
  await writeFile(join(folder, 'package.json'), JSON.stringify(value))
  if (isInstalled) {
    await mkdir(join(folder, 'node_modules'))
    await writeFile(join(folder, 'node_modules/.package-lock.json'), '{}')
  }
  const { status, stderr } = spawnSync(process.execPath, [join(folder, path)], { encoding: 'utf8' })
  return { status, stderr }
}

test('nothing is said where everything is installed', async (t) => {
  const wanted = packageJson.devDependencies.node
  assert.deepEqual(await check(t, { wanted, isInstalled: true }), { status: 0, stderr: '' })
})

test('without npm ci one sentence says so', async (t) => {
  const { status, stderr } = await check(t, { wanted: '24.0.0', isInstalled: false })
  assert.equal(status, 1)
  assert.equal(stderr, 'The packages are not installed: run npm ci first.\n')
})

test('after npm ci --ignore-scripts one sentence says what is missing', async (t) => {
  const { status, stderr } = await check(t, { wanted: '99.1.0', isInstalled: true })
  assert.equal(status, 1)
  assert.match(
    stderr,
    /^This needs Node 99, and this is Node [\d.]+: .+ --ignore-scripts=false\.\n$/,
  )
})

for (const name of ['start', 'test'] as const) {
  test(`npm ${name} looks at that first`, () => {
    assert.match(packageJson.scripts[name], /^node test\/support\/installed\.cjs && /)
  })
}
