import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import packageJson from '../../package.json' with { type: 'json' }
import { VARIABLES } from '../../sidecar/config.ts'
import { createAuthority, createKeys } from '../support/certificates.ts'
import { ask } from '../support/https.ts'
import { loggedLine, type Program, type ProgramOptions, startProgram } from '../support/program.ts'

const MAIN = join(import.meta.dirname, '../../sidecar/main.ts')

const run = (t: TestContext, options?: ProgramOptions) => startProgram(t, MAIN, options)

/** Starts a sidecar on a free port and waits until it says that it serves. */
async function serve(
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
): Promise<Program & { port: number }> {
  const place = { LISTEN_PORT: '0', LISTEN_ADDRESS: '127.0.0.1' }
  const program = run(t, { env: { ...place, FLUX_URI: 'local:///nowhere/local', ...env } })
  const { port } = await loggedLine(program, 'serving')
  return { ...program, port }
}

test('--help lists every variable with default and meaning', async (t) => {
  const { code, stdout } = await run(t, { args: ['--help'] }).ended
  assert.equal(code, 0)
  for (const { name, fallback, meaning } of VARIABLES) {
    const line = stdout.split('\n').find((text) => text.trim().startsWith(`${name} `))
    assert.ok(line?.includes(meaning) && line.includes(`[${fallback}]`), name)
  }
})

test('--version prints the version', async (t) => {
  const { code, stdout } = await run(t, { args: ['--version'] }).ended
  assert.deepEqual([code, stdout], [0, `${packageJson.version}\n`])
})

test('An unknown argument ends the program with code 2', async (t) => {
  const { code, stderr } = await run(t, { args: ['--verbose'] }).ended
  assert.equal(code, 2)
  assert.match(stderr, /--verbose/)
})

test('A wrong environment ends the program with code 2 and all problems', async (t) => {
  const env = { LISTEN_PORT: 'https', LOG_LEVEL: 'loud' }
  const { code, stdout, stderr } = await run(t, { env }).ended
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /^Cannot start:\n {2}LISTEN_PORT: .*\n {2}LOG_LEVEL: .*\n$/)
})

test('A port that is taken does not end the program: it serves as soon as the port is free', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  assert.ok(address !== null && typeof address !== 'string')
  const { port } = address
  const env = { LISTEN_PORT: String(port), LISTEN_ADDRESS: '127.0.0.1' }
  const { child } = run(t, { env })
  assert.ok(child.stdout)
  const reasons: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, reason } = JSON.parse(line)
    if (reason?.startsWith('Cannot listen')) reasons.push(reason)
    if (reasons.length > 0) other.close()
    if (msg === 'serving') break
  }
  const what = 'another program uses it; choose another with LISTEN_PORT'
  assert.deepEqual(reasons, [`Cannot listen on port ${port}: ${what}`])
  assert.equal((await ask(port, '/livez')).status, 200)
})

test('An address that the machine does not have ends the program with code 2 and a sentence', async (t) => {
  const env = { LISTEN_PORT: '0', LISTEN_ADDRESS: '192.0.2.1' }
  const { code, stderr } = await run(t, { env }).ended
  assert.equal(code, 2)
  assert.match(stderr, /^Cannot listen on port 0: LISTEN_ADDRESS is not an address of this machine/)
})

test('SIGTERM while the port is taken ends the program with code 0', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const address = other.address()
  assert.ok(address !== null && typeof address !== 'string')
  const env = { LISTEN_PORT: String(address.port), LISTEN_ADDRESS: '127.0.0.1' }
  const { child, ended } = run(t, { env })
  assert.ok(child.stdout)
  for await (const line of createInterface({ input: child.stdout })) {
    if (JSON.parse(line).reason?.startsWith('Cannot listen')) break
  }
  child.kill('SIGTERM')
  assert.equal((await ended).code, 0)
})

const METRIC =
  '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/services/custom-metrics-apiserver/node_up_count'

test('Without a broker the program serves: health is 200 and says what is missing, metrics are 503', async (t) => {
  const { port } = await serve(t)
  const ready = await ask(port, '/readyz')
  assert.equal(ready.status, 200)
  assert.match(ready.text, /there is no socket yet/)
  assert.equal((await ask(port, METRIC)).status, 503)
})

test('With an expired certificate the program serves health, says so, and recovers without a restart', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sidecar-'))
  t.after(() => rm(folder, { recursive: true }))
  const minuteAgo = new Date(Date.now() - 60_000)
  const keys = await createKeys()
  const before = await createAuthority('front-proxy', { keys, notAfter: minuteAgo })
  const after = await createAuthority('front-proxy', { keys })
  const client = await after.issue({ commonName: 'proxy', extendedKeyUsage: ['clientAuth'] })
  const authority = await createAuthority('cert-manager')
  const names = { commonName: 'sidecar', dns: ['localhost'] }
  const pairs = [
    await authority.issue({ ...names, notAfter: minuteAgo }),
    await authority.issue(names),
  ] as const
  const put = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  const { child, port } = await serve(t, {
    TLS_CERT_FILE: await put('tls.crt', pairs[0].cert),
    TLS_KEY_FILE: await put('tls.key', pairs[0].key),
    // The CA was renewed with the same key, and is still listed as it was before.
    CLIENT_CA_FILE: await put('ca.crt', `${before.cert}\n${after.cert}`),
  })
  const said = /only health is served: Cannot use ".*tls\.crt": it expired at /
  assert.equal((await ask(port, '/livez')).status, 200)
  const ready = await ask(port, '/readyz')
  assert.equal(ready.status, 200)
  assert.match(ready.text, said)
  const refused = await ask(port, METRIC, { client })
  assert.equal(refused.status, 503)
  assert.match(refused.text, /Cannot serve: Cannot use .*tls\.crt.*it expired at /)
  await put('tls.crt', pairs[1].cert)
  await put('tls.key', pairs[1].key)
  // A new client CA closes the connections that were made before.
  const readyText = () => ask(port, '/readyz').then(({ text }) => text, String)
  while (!(await readyText()).startsWith('ok: serving\n')) await setTimeout(100)
  assert.equal((await ask(port, METRIC)).status, 401)
  assert.match((await ask(port, METRIC, { client })).text, /there is no socket yet/)
  assert.equal(child.exitCode, null)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends the program with code 0, readiness first`, async (t) => {
    const { child, ended, port } = await serve(t)
    child.kill(signal)
    let status = 200
    while (status === 200) ({ status } = await ask(port, '/readyz'))
    assert.equal(status, 503)
    assert.equal((await ask(port, '/livez')).status, 200)
    assert.equal((await ended).code, 0)
  })
}
