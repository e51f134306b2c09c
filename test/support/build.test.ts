import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import { bundle } from './build.ts'

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

for (const program of ['sidecar', 'webhook'] as const) {
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

  test(`the version label of the ${program}'s image is the version of the package`, async () => {
    const path = join(import.meta.dirname, `../../Dockerfile.${program}`)
    const dockerfile = await readFile(path, 'utf8')
    assert.match(dockerfile, new RegExp(`^ARG VERSION=${packageJson.version}$`, 'm'))
  })
}
