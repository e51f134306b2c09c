// A path for the UNIX socket of a broker in a test. Its folder is removed after the test.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export async function createSocketPath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'local')
}
