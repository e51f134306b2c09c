// Sources of credentials for tests: their files, their log, and what they pass on.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { CredentialSource } from '#identity/credential-source.ts'
import { createCredentials } from '#identity/credentials.ts'
import { sidecarNames } from '#serving/certificates/certificate-names.ts'
import type { Credentials } from '#serving/https/tls.ts'
import { type Config, readConfig } from '../../sidecar/config.ts'
import { createCaKeys, issueLeaf } from '../../webhook/authority/certificate-authority.ts'
import { parseCertificateRequest } from '../../webhook/identities/certificate-request.ts'
import { createAuthority } from '../support/certificates.ts'
import { NAMES, TOKEN } from '../support/lead-broker.ts'
import { memoryLog } from '../support/memory-log.ts'

const WHO = { NAMESPACE: 'hpc', MINICLUSTER: 'lammps' }
export const frontProxy = await createAuthority('front-proxy-ca')
export const provider = await createAuthority('cert-manager')

function config(variables: Record<string, string>): Config {
  const result = readConfig({ ...WHO, ...variables })
  if (result.kind === 'problems') assert.fail(result.problems.join())
  return result.config
}

/** Files in a folder of their own. */
export async function files(t: TestContext, texts: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'credentials-'))
  t.after(() => rm(folder, { recursive: true }))
  const paths: Record<string, string> = {}
  for (const [name, text] of Object.entries(texts)) {
    paths[name] = join(folder, name)
    await writeFile(join(folder, name), text)
  }
  return paths
}

export async function create(t: TestContext, variables: Record<string, string>) {
  const { log, lines } = memoryLog()
  const read = config(variables)
  const source = await createCredentials({ ...read, names: sidecarNames(read.names) }, log)
  t.after(() => source.close())
  return { source, lines, messages: () => lines.map(({ msg }) => msg) }
}

export function namesIn({ cert }: Credentials): string[] {
  const { subjectAltName = '' } = new X509Certificate(cert)
  return subjectAltName.split(', ')
}

/** The next credentials that the source passes on. */
export function started(source: CredentialSource): Promise<Credentials> {
  return new Promise((resolve) => source.start(resolve))
}

export const SELF_SIGNED = [
  ...NAMES.map((name) => `DNS:${name}`),
  'DNS:localhost',
  'IP Address:127.0.0.1',
]

/** A webhook that issues a certificate for every request. */
export async function serveAuthority(t: TestContext) {
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
    projectCa: ca.certificate,
  }
}
