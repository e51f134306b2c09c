import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import packageJson from '../../package.json' with { type: 'json' }
import { VARIABLES } from '../../webhook/config.ts'
import { createAuthority } from '../support/certificates.ts'
import { ask } from '../support/https.ts'
import { loggedLine, type Program, type ProgramOptions, startProgram } from '../support/program.ts'

const MAIN = join(import.meta.dirname, '../../webhook/main.ts')
const ANY_PORTS = { LISTEN_PORT: '0', CERTIFICATES_PORT: '0', HEALTH_PORT: '0' }
const IMAGE = { SIDECAR_IMAGE: 'sidecar:1' }

const run = (t: TestContext, options?: ProgramOptions) => startProgram(t, MAIN, options)

/** An API server without objects, its kubeconfig, and a provided certificate. */
async function prepare(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'webhook-'))
  t.after(() => rm(folder, { recursive: true }))
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/version' ? 200 : 404, {
      'content-type': 'application/json',
    })
    response.end(
      JSON.stringify({ kind: 'Status', apiVersion: 'v1', code: 404, message: 'not found' }),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(address !== null && typeof address !== 'string')
  const put = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  const cluster = { name: 'test', cluster: { server: `http://127.0.0.1:${address.port}` } }
  const authority = await createAuthority('cert-manager')
  const pair = await authority.issue({ commonName: 'webhook', dns: ['localhost'] })
  return {
    KUBECONFIG: await put(
      'kubeconfig',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [cluster],
        users: [{ name: 'test', user: {} }],
        contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
        'current-context': 'test',
      }),
    ),
    TLS_CERT_FILE: await put('tls.crt', pair.cert),
    TLS_KEY_FILE: await put('tls.key', pair.key),
  }
}

/** Starts a webhook on a free port with a provided certificate, and waits until it logs that it serves. */
async function serve(t: TestContext): Promise<Program & { port: number }> {
  const files = await prepare(t)
  const env = { ...IMAGE, ...files, CERTIFICATES: 'files', LISTEN_ADDRESS: '127.0.0.1' }
  const program = run(t, { env: { ...env, ...ANY_PORTS } })
  const { port } = await loggedLine(program, 'serving')
  return { ...program, port }
}

test('--help shows every variable with default and meaning', async (t) => {
  const { code, stdout } = await run(t, { args: ['--help'] }).ended
  assert.equal(code, 0)
  assert.match(stdout, /^Usage: webhook \[--help\] \[--version\]\n/)
  for (const { name, fallback, meaning } of VARIABLES) {
    const row = stdout.split('\n').find((text) => text.trim().startsWith(`${name} `))
    assert.ok(row?.includes(meaning) && row.includes(`[${fallback}]`), name)
  }
})

test('--version prints the version', async (t) => {
  const { code, stdout } = await run(t, { args: ['--version'] }).ended
  assert.deepEqual([code, stdout], [0, `${packageJson.version}\n`])
})

test('An invalid environment ends the program with code 2 and all problems', async (t) => {
  const { code, stdout, stderr } = await run(t, { env: { LISTEN_PORT: 'https' } }).ended
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(
    stderr,
    /^Cannot start:\n {2}SIDECAR_IMAGE: .*\n {2}LISTEN_PORT: .*\n {2}KUBECONFIG: .*\n$/,
  )
})

test('A kubeconfig without an API server ends the program with code 2 and a sentence', async (t) => {
  const { KUBECONFIG } = await prepare(t)
  await writeFile(KUBECONFIG, '{"apiVersion":"v1","kind":"Config"}')
  const { code, stderr } = await run(t, { env: { ...IMAGE, KUBECONFIG } }).ended
  assert.equal(code, 2)
  assert.match(stderr, /^Cannot find an API server in .*\n$/)
})

test('With a provided certificate the program serves, even if the API server has no objects', async (t) => {
  const { port } = await serve(t)
  const { status, text } = await ask(port, '/readyz')
  assert.deepEqual([status, text], [200, 'ok: serving with the provided certificate\n'])
})

test('Without a CA the program logs why it waits, and SIGTERM ends it with code 0', async (t) => {
  const { KUBECONFIG } = await prepare(t)
  const program = run(t, { env: { ...IMAGE, KUBECONFIG, ...ANY_PORTS } })
  const { level } = await loggedLine(program, 'cannot keep certificates up to date: trying again')
  assert.equal(level, 'warn')
  program.child.kill('SIGTERM')
  assert.equal((await program.ended).code, 0)
})

test('SIGTERM and SIGINT turn readiness off, then end the program with code 0', async (t) => {
  // At the same time, because each takes 10 s.
  const ends = (['SIGTERM', 'SIGINT'] as const).map(async (signal) => {
    const { child, ended, port } = await serve(t)
    child.kill(signal)
    let status = 200
    while (status === 200) ({ status } = await ask(port, '/readyz'))
    assert.equal(status, 503)
    assert.equal((await ask(port, '/livez')).status, 200)
    assert.equal((await ended).code, 0)
  })
  await Promise.all(ends)
})
