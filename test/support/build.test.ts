import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import { bundle } from './build.ts'
import { fileOf, importsOf, ROOT } from './imports.ts'

const run = promisify(execFile)

test('the bundle of the sidecar is without the libraries of the webhook', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
  t.after(async () => rm(folder, { recursive: true }))
  const source = await readFile(await bundle('sidecar', folder), 'latin1')
  assert.doesNotMatch(
    source,
    /node_modules\/(@peculiar|reflect-metadata|@kubernetes|jsonpatch|smol-toml)\//,
  )
})

const IMAGES = {
  sidecar: { dockerfile: 'Dockerfile.sidecar', main: 'sidecar/main.ts' },
  webhook: { dockerfile: 'Dockerfile.webhook', main: 'webhook/main.ts' },
  gateway: { dockerfile: 'Dockerfile.webhook', main: 'webhook/gateway/main.ts' },
} as const

for (const program of ['sidecar', 'webhook', 'gateway'] as const) {
  test(`the bundle of the ${program} runs as one file, without its sources`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
    t.after(async () => rm(folder, { recursive: true }))
    const { stdout, stderr } = await run(process.execPath, [
      await bundle(program, folder),
      '--version',
    ])
    assert.deepEqual({ stdout, stderr }, { stdout: `${packageJson.version}\n`, stderr: '' })
  })

  test(`the bundle of the ${program} has one byte for each character, and no data twice`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
    t.after(async () => rm(folder, { recursive: true }))
    const source = await readFile(await bundle(program, folder), 'latin1')
    assert.doesNotMatch(source, /[^\0-\x7f]/)
    assert.equal(source.match(/mime-db\/db\.json"\(/g)?.length, 1)
  })

  test(`the image of the ${program} is built with all sources that the program imports`, async () => {
    const dockerfile = await readFile(join(ROOT, IMAGES[program].dockerfile), 'utf8')
    const copied = [...dockerfile.matchAll(/^COPY (?!--)(\S+) /gm)].map(([, path = '']) => path)
    const reached = new Set<string>()
    const visit = (file: string): void => {
      if (reached.has(file)) return
      reached.add(file)
      for (const specifier of importsOf(file)) {
        const target = fileOf(specifier, file)
        if (target?.endsWith('.ts')) visit(target)
      }
    }
    visit(IMAGES[program].main)
    assert.ok(reached.size > 20)
    const isCopied = (file: string) => copied.some((path) => `${file}/`.startsWith(`${path}/`))
    assert.deepEqual(
      [...reached].filter((file) => !isCopied(file)),
      [],
    )
  })

  test(`the version label of the ${program}'s image is the version of the package`, async () => {
    const dockerfile = await readFile(join(ROOT, IMAGES[program].dockerfile), 'utf8')
    assert.match(dockerfile, new RegExp(`^ARG VERSION=${packageJson.version}$`, 'm'))
  })
}
