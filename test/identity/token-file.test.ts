import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { TokenFile } from '#identity/token-file.ts'

async function place(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'token-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'token')
}

test('TokenFile reads the token anew each time, without the space around it', async (t) => {
  const path = await place(t)
  const file = new TokenFile(path)
  await writeFile(path, 'first\n')
  assert.equal(await file.read(), 'first')
  await writeFile(path, 'second\n')
  assert.equal(await file.read(), 'second')
})

test('TokenFile passes on that there is no file, and finds one that appears', async (t) => {
  const path = await place(t)
  const file = new TokenFile(path)
  await assert.rejects(file.read(), /^Error: cannot read the token of this pod: ENOENT: /)
  await writeFile(path, 'token')
  assert.equal(await file.read(), 'token')
})

test('TokenFile gives up a read that hangs, begins no second one, and takes what it brings', async (t) => {
  const path = await place(t)
  // A pipe without a writer hangs at open. A second reader would take a part of what is written.
  execFileSync('mkfifo', [path])
  const file = new TokenFile(path)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const late = { message: `cannot read the token of this pod: "${path}" has not been read in 5 s` }
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const read = assert.rejects(file.read(), late)
    t.mock.timers.tick(5_000)
    await read
  }
  const read = file.read()
  // Node has four threads: if each attempt had taken one, this would hang.
  await writeFile(path, 'token\n')
  assert.equal(await read, 'token')
})
