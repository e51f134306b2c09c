// Sources of credentials for tests: their files, their log, and what they pass on.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type CredentialSource, createCredentials } from '#identity/credentials.ts'
import type { Credentials } from '#serving/https/tls.ts'
import { type Config, readConfig } from '../../sidecar/config.ts'
import { createAuthority } from '../support/certificates.ts'
import { NAMES } from '../support/lead-broker.ts'
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
  const source = await createCredentials(config(variables), log)
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
