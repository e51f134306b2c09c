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

test('the bundle runs away from its sources, as one file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
  t.after(async () => rm(folder, { recursive: true }))
  await bundle(folder)
  const { stdout, stderr } = await run(process.execPath, [join(folder, 'sidecar.cjs'), '--version'])
  assert.deepEqual({ stdout, stderr }, { stdout: `${packageJson.version}\n`, stderr: '' })
})

test("the image's version label is that of the package", async () => {
  const dockerfile = await readFile(join(import.meta.dirname, '../../Dockerfile.sidecar'), 'utf8')
  assert.match(dockerfile, new RegExp(`^ARG VERSION=${packageJson.version}$`, 'm'))
})
