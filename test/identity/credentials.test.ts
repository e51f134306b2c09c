import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type CredentialSource, createCredentials } from '#identity/credentials.ts'
import type { Credentials } from '#serving/https/tls.ts'
import { type Config, readConfig } from '../../sidecar/config.ts'
import { createCaKeys, issueLeaf } from '../../webhook/authority/certificate-authority.ts'
import { parseCertificateRequest } from '../../webhook/identities/certificate-request.ts'
import { createAuthority, issueWeak } from '../support/certificates.ts'
import { NAMES, TOKEN } from '../support/lead-broker.ts'
import { memoryLog } from '../support/memory-log.ts'

const WHO = { NAMESPACE: 'hpc', MINICLUSTER: 'lammps' }
const frontProxy = await createAuthority('front-proxy-ca')
const provider = await createAuthority('cert-manager')

function config(variables: Record<string, string>): Config {
  const result = readConfig({ ...WHO, ...variables })
  if (result.kind === 'problems') assert.fail(result.problems.join())
  return result.config
}

/** Files in a folder of their own. */
async function files(t: TestContext, texts: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'credentials-'))
  t.after(() => rm(folder, { recursive: true }))
  const paths: Record<string, string> = {}
  for (const [name, text] of Object.entries(texts)) {
    paths[name] = join(folder, name)
    await writeFile(join(folder, name), text)
  }
  return paths
}

async function create(t: TestContext, variables: Record<string, string>) {
  const { log, lines } = memoryLog()
  const source = await createCredentials(config(variables), log)
  t.after(() => source.close())
  return { source, lines, messages: () => lines.map(({ msg }) => msg) }
}

function namesIn({ cert }: Credentials): string[] {
  const { subjectAltName = '' } = new X509Certificate(cert)
  return subjectAltName.split(', ')
}

/** The next credentials that the source passes on. */
function started(source: CredentialSource): Promise<Credentials> {
  return new Promise((resolve) => source.start(resolve))
}

const SELF_SIGNED = [...NAMES.map((name) => `DNS:${name}`), 'DNS:localhost', 'IP Address:127.0.0.1']

test('without any setting the certificate is self-signed and all clients may read, with warnings', async (t) => {
  const { source, messages } = await create(t, {})
  assert.deepEqual(namesIn(source.first), SELF_SIGNED)
  assert.deepEqual(
    [source.first.clientCa, source.authenticatesClients, source.missing(), source.allowedNames()],
    [undefined, false, undefined, []],
  )
  assert.deepEqual(messages(), [
    'clients are not authenticated: CLIENT_CA_FILE is not set',
    'the certificate is self-signed: TLS_CERT_FILE and TLS_KEY_FILE are not set',
  ])
})

test('the certificates of files are used unchanged', async (t) => {
  const pair = await provider.issue({ commonName: 'sidecar', dns: NAMES })
  const {
    TLS_CERT_FILE = '',
    TLS_KEY_FILE = '',
    CLIENT_CA_FILE = '',
  } = await files(t, {
    TLS_CERT_FILE: pair.cert,
    TLS_KEY_FILE: pair.key,
    CLIENT_CA_FILE: frontProxy.cert,
  })
  const { source, lines } = await create(t, {
    TLS_CERT_FILE,
    TLS_KEY_FILE,
    CLIENT_CA_FILE,
    CLIENT_ALLOWED_NAMES: 'front-proxy-client',
  })
  assert.deepEqual(source.first, { ...pair, clientCa: frontProxy.cert })
  assert.deepEqual(
    [source.authenticatesClients, source.missing(), source.allowedNames(), lines],
    [true, undefined, ['front-proxy-client'], []],
  )
})

test('a client CA that changes is used with the certificate that was created at start', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { CLIENT_CA_FILE = '' } = await files(t, { CLIENT_CA_FILE: frontProxy.cert })
  const { source } = await create(t, { CLIENT_CA_FILE })
  const changed = started(source)
  await writeFile(CLIENT_CA_FILE, provider.cert)
  t.mock.timers.tick(2_000)
  assert.deepEqual(await changed, { ...source.first, clientCa: provider.cert })
})

test('an expired CA in the bundle of the clients is a warning', async (t) => {
  const old = await createAuthority('old-front-proxy-ca', {
    notAfter: new Date(Date.now() - 1_000),
  })
  const text = `${old.cert}\n${frontProxy.cert}`
  const { CLIENT_CA_FILE = '' } = await files(t, { CLIENT_CA_FILE: text })
  const { source, lines } = await create(t, { CLIENT_CA_FILE })
  assert.deepEqual([source.first.clientCa, source.missing()], [text, undefined])
  assert.deepEqual(
    lines.filter(({ names }) => names !== undefined),
    [
      {
        level: 'warn',
        file: CLIENT_CA_FILE,
        names: ['CN=old-front-proxy-ca'],
        msg: 'certificates of this bundle have expired: they verify no client',
      },
    ],
  )
})

const expired = new Date(Date.now() - 60_000)
const UNUSABLE: Readonly<Record<string, () => Promise<Record<string, string>>>> = {
  'an expired certificate': async () => {
    const pair = await provider.issue({ commonName: 'x', notAfter: expired })
    return { TLS_CERT_FILE: pair.cert, TLS_KEY_FILE: pair.key }
  },
  'an expired client CA': async () => ({
    CLIENT_CA_FILE: (await createAuthority('old', { notAfter: expired })).cert,
  }),
  'the key of another certificate': async () => ({
    TLS_CERT_FILE: (await provider.issue({ commonName: 'x' })).cert,
    TLS_KEY_FILE: (await provider.issue({ commonName: 'x' })).key,
  }),
  'a file that is empty': async () => ({ CLIENT_CA_FILE: '' }),
  'a certificate that OpenSSL refuses': async () => {
    const { cert, key } = await issueWeak()
    return { TLS_CERT_FILE: cert, TLS_KEY_FILE: key }
  },
}

for (const [what, texts] of Object.entries(UNUSABLE)) {
  test(`${what} at start is said, does not end the program, and is replaced when the files are good`, async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const good = await provider.issue({ commonName: 'sidecar', dns: NAMES })
    const variables = await files(t, {
      TLS_CERT_FILE: good.cert,
      TLS_KEY_FILE: good.key,
      CLIENT_CA_FILE: frontProxy.cert,
      ...(await texts()),
    })
    const { source, lines } = await create(t, variables)
    assert.deepEqual([namesIn(source.first), source.first.clientCa], [SELF_SIGNED, undefined])
    assert.equal(source.authenticatesClients, true)
    const reason = source.missing() ?? ''
    assert.match(reason, /^Cannot use "\/.*": \S/)
    const changed = started(source)
    await writeFile(variables.TLS_CERT_FILE ?? '', good.cert)
    await writeFile(variables.TLS_KEY_FILE ?? '', good.key)
    await writeFile(variables.CLIENT_CA_FILE ?? '', frontProxy.cert)
    t.mock.timers.tick(2_000)
    assert.deepEqual(await changed, { ...good, clientCa: frontProxy.cert })
    assert.equal(source.missing(), undefined)
    assert.deepEqual(
      lines.map(({ level, msg }) => `${level}: ${msg}`),
      [
        'error: only health is served: cannot use the certificate files',
        'info: loaded new certificates',
      ],
    )
  })
}

test('new files that cannot be used are a problem, while the old certificate is served', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { CLIENT_CA_FILE = '' } = await files(t, { CLIENT_CA_FILE: frontProxy.cert })
  const { source } = await create(t, { CLIENT_CA_FILE })
  source.start(() => {})
  assert.equal(source.problem(), undefined)
  await writeFile(CLIENT_CA_FILE, 'nonsense')
  t.mock.timers.tick(2_000)
  while (source.problem() === undefined) await new Promise(setImmediate)
  assert.deepEqual(
    [source.missing(), source.problem()],
    [undefined, `Cannot use "${CLIENT_CA_FILE}": expected a certificate in PEM`],
  )
})

test('a certificate that has expired in use is a problem', async (t) => {
  const pair = await provider.issue({ commonName: 'sidecar', dns: NAMES })
  const { TLS_CERT_FILE = '', TLS_KEY_FILE = '' } = await files(t, {
    TLS_CERT_FILE: pair.cert,
    TLS_KEY_FILE: pair.key,
  })
  const { source } = await create(t, { TLS_CERT_FILE, TLS_KEY_FILE })
  assert.equal(source.problem(), undefined)
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 25 * 3_600_000 })
  assert.match(source.problem() ?? '', /^the certificate expired at 2\d{3}-/)
  assert.equal(source.missing(), undefined)
})

/** A webhook that issues a certificate for every request. */
async function serveAuthority(t: TestContext): Promise<Record<string, string>> {
  const ca = await createCaKeys(Date.now())
  const webhook = await provider.issue({ commonName: 'webhook', ips: ['127.0.0.1'] })
  const server = createServer(webhook, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { publicKey, dnsNames: names } = await parseCertificateRequest(JSON.parse(body).csr)
    assert.ok(publicKey)
    const certificate = await issueLeaf(ca, { publicKey, names }, Date.now())
    const requestHeader = { clientCa: frontProxy.cert, allowedNames: ['front-proxy-client'] }
    response.end(JSON.stringify({ certificate, ca: ca.certificate, requestHeader }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const { IDENTITY_TOKEN_FILE = '' } = await files(t, { IDENTITY_TOKEN_FILE: TOKEN })
  return {
    IDENTITY_URL: `https://127.0.0.1:${port}`,
    IDENTITY_TOKEN_FILE,
    IDENTITY_CA: provider.cert,
  }
}

test('with an authority the first certificate is self-signed, and clients are asked for certificates', async (t) => {
  const { source, lines } = await create(t, await serveAuthority(t))
  assert.deepEqual(namesIn(source.first), SELF_SIGNED)
  assert.deepEqual(
    [source.first.clientCa, source.authenticatesClients, source.missing(), source.allowedNames()],
    [undefined, true, 'no certificate yet', []],
  )
  assert.deepEqual(lines, [])
})

test('with an authority its certificate is passed on, with the CA of the clients', async (t) => {
  const { source, messages } = await create(t, await serveAuthority(t))
  const given = await started(source)
  assert.deepEqual(
    namesIn(given),
    NAMES.map((name) => `DNS:${name}`),
  )
  assert.equal(given.clientCa, frontProxy.cert)
  assert.deepEqual(
    [source.missing(), source.allowedNames(), messages()],
    [undefined, ['front-proxy-client'], ['obtained a certificate']],
  )
})

test('an expired certificate of an authority is replaced by the self-signed one', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.now() })
  const { source } = await create(t, await serveAuthority(t))
  const used: Credentials[] = []
  const first = Promise.withResolvers<void>()
  source.start((credentials) => {
    used.push(credentials)
    first.resolve()
  })
  await first.promise
  await new Promise(setImmediate)
  t.mock.timers.tick(25 * 3_600_000)
  assert.deepEqual([used.at(-1), source.missing()], [source.first, 'the certificate has expired'])
})
