import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Credentials, CredentialWatch, notAfter, readCredentials } from '#serving/https/tls.ts'
import { createLogger } from '#serving/log.ts'
import { createAuthority, issueWeak, type KeyPair } from '../../support/certificates.ts'

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tls-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

/** Files as the kubelet lays out a Secret: `tls.crt` → `..data/tls.crt`, and `..data` → a folder that is swapped. */
async function mountSecret(t: TestContext, pair: KeyPair) {
  const path = await folder(t)
  const put = async (version: string, { cert, key }: KeyPair) => {
    await mkdir(join(path, version))
    await writeFile(join(path, version, 'tls.crt'), cert)
    await writeFile(join(path, version, 'tls.key'), key)
    await symlink(version, join(path, '..data_tmp'))
    await rename(join(path, '..data_tmp'), join(path, '..data'))
  }
  await put('..1', pair)
  await symlink('..data/tls.crt', join(path, 'tls.crt'))
  await symlink('..data/tls.key', join(path, 'tls.key'))
  return { files: { cert: join(path, 'tls.crt'), key: join(path, 'tls.key') }, put }
}

/** Reads only when a test calls `check`. */
async function watch(t: TestContext, pair: KeyPair) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const secret = await mountSecret(t, pair)
  const changes: Partial<Credentials>[] = []
  const lines: string[] = []
  const stream = {
    write: (line: string) => {
      lines.push(JSON.parse(line).msg)
    },
  }
  const watched = new CredentialWatch({
    files: secret.files,
    current: await readCredentials(secret.files),
    onChange: (credentials) => changes.push(credentials),
    log: createLogger('info', stream),
  })
  t.after(() => watched.close())
  return { ...secret, watched, changes, lines }
}

const authority = await createAuthority('test')
const issue = () => authority.issue({ commonName: 'server', dns: ['localhost'] })

test('readCredentials reads certificate, key and client CA', async (t) => {
  const pair = await issue()
  const { files } = await mountSecret(t, pair)
  const ca = join(await folder(t), 'ca.crt')
  await writeFile(ca, authority.cert)
  assert.deepEqual(await readCredentials({ ...files, clientCa: ca }), {
    ...pair,
    clientCa: authority.cert,
  })
})

test('readCredentials refuses the key of another certificate', async (t) => {
  const { files } = await mountSecret(t, { ...(await issue()), key: (await issue()).key })
  await assert.rejects(readCredentials(files), /it is not the key of/)
})

test('readCredentials refuses a text that is not PEM, and names the file', async (t) => {
  const { files } = await mountSecret(t, { ...(await issue()), cert: 'nonsense' })
  await assert.rejects(readCredentials(files), {
    message: `Cannot use "${files.cert}": expected a certificate in PEM`,
  })
})

test('readCredentials refuses an expired certificate', async (t) => {
  const notAfterDate = new Date(Date.now() - 1000)
  const { files } = await mountSecret(
    t,
    await authority.issue({ commonName: 'old', notAfter: notAfterDate }),
  )
  await assert.rejects(readCredentials(files), /it expired at/)
})

const aSecondAgo = () => new Date(Date.now() - 1_000)

async function bundle(t: TestContext, ...certificates: readonly string[]) {
  const clientCa = join(await folder(t), 'ca.crt')
  await writeFile(clientCa, certificates.join('\n'))
  return { clientCa }
}

test('readCredentials takes a bundle of CAs of which some have expired', async (t) => {
  const expired = await createAuthority('old', { notAfter: aSecondAgo() })
  for (const texts of [
    [expired.cert, authority.cert],
    [authority.cert, expired.cert],
  ]) {
    assert.deepEqual(await readCredentials(await bundle(t, ...texts)), {
      clientCa: texts.join('\n'),
    })
  }
})

test('readCredentials refuses a bundle whose CAs have all expired', async (t) => {
  const earlier = await createAuthority('older', { notAfter: new Date(Date.now() - 5_000) })
  const last = new Date(Math.floor(Date.now() / 1000) * 1000 - 1_000)
  const later = await createAuthority('old', { notAfter: last })
  const files = await bundle(t, later.cert, earlier.cert)
  await assert.rejects(readCredentials(files), {
    message: `Cannot use "${files.clientCa}": it expired at ${last.toISOString()}`,
  })
})

test('readCredentials refuses a bundle with a damaged certificate, wherever that is', async (t) => {
  const damaged = authority.cert.replace(/[A-Za-z0-9+/]{40}/, 'x'.repeat(40))
  for (const texts of [
    [damaged, authority.cert],
    [authority.cert, damaged],
  ]) {
    const files = await bundle(t, ...texts)
    await assert.rejects(readCredentials(files), {
      message: `Cannot use "${files.clientCa}": expected a certificate in PEM`,
    })
  }
})

test('notAfter is the time when the certificate expires', async () => {
  const end = new Date('2040-01-01T00:00:00Z')
  assert.deepEqual(notAfter(await authority.issue({ commonName: 'x', notAfter: end })), end)
})

test('CredentialWatch passes on files that the kubelet has swapped, once', async (t) => {
  const { put, watched, changes } = await watch(t, await issue())
  await watched.check()
  assert.deepEqual(changes, [])
  const renewed = await issue()
  await put('..2', renewed)
  await watched.check()
  await watched.check()
  assert.deepEqual(changes, [{ ...renewed, clientCa: undefined }])
})

test('CredentialWatch keeps the old pair while the new one is invalid, and logs that once', async (t) => {
  const { put, watched, changes, lines } = await watch(t, await issue())
  await put('..2', { ...(await issue()), key: (await issue()).key })
  await watched.check()
  await watched.check()
  assert.deepEqual(changes, [])
  const renewed = await issue()
  await put('..3', renewed)
  await watched.check()
  assert.deepEqual(changes, [{ ...renewed, clientCa: undefined }])
  assert.deepEqual(lines, [
    'cannot use the new certificate files: keeping the old certificates',
    'loaded new certificates',
  ])
})

test('CredentialWatch keeps the old pair when OpenSSL refuses the new one', async (t) => {
  const { put, watched, changes, lines } = await watch(t, await issue())
  await put('..2', await issueWeak())
  await watched.check()
  assert.deepEqual(changes, [])
  assert.deepEqual(lines, ['cannot use the new certificate files: keeping the old certificates'])
})

test('CredentialWatch does not log a problem again that was reported at start, and tells it until it is over', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { files, put } = await mountSecret(t, { ...(await issue()), cert: 'nonsense' })
  const problem = `Cannot use "${files.cert}": expected a certificate in PEM`
  const changes: Partial<Credentials>[] = []
  const lines: string[] = []
  const watched = new CredentialWatch({
    files,
    current: undefined,
    problem,
    onChange: (credentials) => changes.push(credentials),
    log: createLogger('info', { write: (line: string) => lines.push(JSON.parse(line).msg) }),
  })
  t.after(() => watched.close())
  await watched.check()
  assert.deepEqual([watched.problem, lines], [problem, []])
  const renewed = await issue()
  await put('..2', renewed)
  await watched.check()
  assert.deepEqual([watched.problem, lines], [undefined, ['loaded new certificates']])
  assert.deepEqual(changes, [{ ...renewed, clientCa: undefined }])
})
