import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import packageJson from '../../../package.json' with { type: 'json' }
import { VARIABLES } from '../../../webhook/gateway/config.ts'
import { LINGER_MS } from '../../../webhook/health.ts'
import { BenchApiServer } from '../../bench/gateway/api-server.ts'
import { startAuthority } from '../../bench/gateway/authority.ts'
import { writeKubeconfig } from '../../bench/kubeconfig.ts'
import { createAuthority } from '../../support/certificates.ts'
import { ask } from '../../support/https.ts'
import { loggedLine, type ProgramOptions, startProgram } from '../../support/program.ts'

const MAIN = join(import.meta.dirname, '../../../webhook/gateway/main.ts')

const run = (t: TestContext, options?: ProgramOptions) => startProgram(t, MAIN, options)

/** An API server without pods, and an authority that certifies every gateway. */
async function prepare(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-main-'))
  t.after(() => rm(folder, { recursive: true }))
  const put = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  const serving = await createAuthority('serving')
  const frontProxy = await createAuthority('front-proxy')
  const keys = await serving.issue({ commonName: 'server', dns: ['localhost'] })
  const apiServer = new BenchApiServer(keys)
  t.after(() => apiServer.close())
  const authority = await startAuthority({
    ...{ keys, servingCa: serving.cert },
    frontProxyCa: frontProxy.cert,
  })
  t.after(() => authority.close())
  const servingCa = await put('ca.crt', serving.cert)
  const client = await frontProxy.issue({
    commonName: 'front-proxy-client',
    extendedKeyUsage: ['clientAuth'],
  })
  const env = {
    ...{ LISTEN_ADDRESS: '127.0.0.1', LISTEN_PORT: '0', HEALTH_PORT: '0' },
    KUBECONFIG: await writeKubeconfig({ folder, servingCa }, await apiServer.listen()),
    IDENTITY_URL: authority.url,
    IDENTITY_TOKEN_FILE: await put('token', 'header.claims.signature'),
    IDENTITY_CA: serving.cert,
  }
  return { env, client }
}

test('--help shows every variable with default and meaning', async (t) => {
  const { code, stdout } = await run(t, { args: ['--help'] }).ended
  assert.equal(code, 0)
  assert.match(stdout, /^Usage: gateway \[--help\] \[--version\]\n/)
  for (const { name, fallback, meaning } of VARIABLES) {
    const row = stdout.split('\n').find((text) => text.trim().startsWith(`${name} `))
    assert.ok(row?.includes(meaning) && row.includes(`[${fallback}]`), name)
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
  const env = { LISTEN_PORT: 'https', UPSTREAM_CUSTOM_METRICS: 'adapter' }
  const { code, stdout, stderr } = await run(t, { env }).ended
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /^Cannot start:\n/)
  const named = [...stderr.matchAll(/^ {2}([A-Z_]+): /gm)].map(([, name]) => name)
  assert.deepEqual(
    new Set(named),
    new Set([
      'LISTEN_PORT',
      'IDENTITY_URL',
      'IDENTITY_TOKEN_FILE',
      'IDENTITY_CA',
      'UPSTREAM_CUSTOM_METRICS',
      'UPSTREAM_CUSTOM_METRICS_CA_FILE',
      'KUBECONFIG',
    ]),
  )
})

test('An address that the machine does not have ends the program with code 2 and a sentence', async (t) => {
  const { env } = await prepare(t)
  const { code, stderr } = await run(t, { env: { ...env, LISTEN_ADDRESS: '192.0.2.1' } }).ended
  assert.equal(code, 2)
  assert.match(stderr, /^Cannot listen on port 0: LISTEN_ADDRESS is not an address of this machine/)
})

test('SIGTERM and SIGINT turn readiness off, the API is served on, and the program ends with code 0', async (t) => {
  // At the same time, because each takes 10 s.
  const ends = (['SIGTERM', 'SIGINT'] as const).map(async (signal) => {
    const { env, client } = await prepare(t)
    const program = run(t, { env })
    const { port, healthPort } = await loggedLine(program, 'serving')
    const ready = () => ask(healthPort, '/readyz', { plain: true })
    while ((await ready()).status !== 200) await sleep(20)
    const stoppedAt = performance.now()
    program.child.kill(signal)
    let text = ''
    while (!text.startsWith('not ready')) ({ text } = await ready())
    assert.equal(text, 'not ready: stopping\n')
    for (const served of ['/livez', '/apis/custom.metrics.k8s.io/v1beta2']) {
      assert.equal((await ask(port, served, { client })).status, 200, served)
    }
    assert.equal((await program.ended).code, 0)
    assert.ok(performance.now() - stoppedAt >= LINGER_MS, 'it ended before API servers knew')
  })
  await Promise.all(ends)
})
