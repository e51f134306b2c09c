// The browser is opened, and the address is not among its arguments.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openBrowser } from '../../../../webhook/cli/dashboard/browser.ts'
import { until } from '../../../support/until.ts'

const URL = 'http://127.0.0.1:4000/token/'

test('without a screen no browser is opened', async () => {
  assert.equal(await openBrowser(URL, { env: {} }, 'linux'), undefined)
})

test('the browser gets a file that leads to the page, which only the user can read', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'opener-'))
  t.after(() => rm(folder, { recursive: true }))
  const [program, args] = [join(folder, 'xdg-open'), join(folder, 'args')]
  await writeFile(
    program,
    `#!/bin/sh\nprintf '%s' "$*" > ${args}.new && /bin/mv ${args}.new ${args}\n`,
  )
  await chmod(program, 0o755)
  const tidy = await openBrowser(URL, { env: { PATH: folder, DISPLAY: ':0' } }, 'linux')
  await until(() => existsSync(args), 'the browser')
  const file = await readFile(args, 'utf8')
  assert.ok(!file.includes('token'))
  assert.match(await readFile(file, 'utf8'), /content="0;url=http:\/\/127\.0\.0\.1:4000\/token\/"/)
  assert.equal((await stat(file)).mode & 0o077, 0)
  assert.equal((await stat(join(file, '..'))).mode & 0o077, 0)
  await tidy?.()
  assert.ok(!existsSync(file))
})

test('a machine without the program goes on', async (t) => {
  const tidy = await openBrowser(URL, { env: { PATH: '/nowhere', DISPLAY: ':0' } }, 'linux')
  t.after(() => tidy?.())
  assert.ok(tidy !== undefined)
})
