// Chooses the source of the server's certificate and of the front proxy's CA: files, the authority, or a self-signed
// certificate for a first try. Serves nothing itself.
import { createSelfSigned } from '#serving/https/self-signed.ts'
import {
  type CredentialFiles,
  type Credentials,
  CredentialWatch,
  expiredSubjects,
  notAfter,
  readCredentials,
} from '#serving/https/tls.ts'
import type { Logger } from '#serving/log.ts'
import { messageOf } from '#serving/text.ts'
import type { CredentialSource } from './credential-source.ts'
import { type Authority, createIssuedCredentials } from './issued-credentials.ts'

/** The source of certificates, and the names for which the server's certificate is valid. */
export interface CredentialOptions {
  /** Files of the serving certificate. Without them, and without an authority, a self-signed one is created at start. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** File of the front proxy's CA. Without it, and without an authority, clients are not authenticated. */
  readonly clientCaFile: string | undefined
  /** Common names of the front proxy; empty: any. */
  readonly clientAllowedNames: readonly string[]
  /** The webhook, if it issues the certificate and sends the front proxy's CA. */
  readonly authority: Authority | undefined
  /** DNS names. */
  readonly names: readonly string[]
}

/** Files that cannot be used, and an authority that does not answer, are no errors: they may be good later. */
export async function createCredentials(
  config: CredentialOptions,
  log: Logger,
): Promise<CredentialSource> {
  const { authority, names } = config
  return authority === undefined
    ? fromFiles(config, log.child({ component: 'tls' }))
    : createIssuedCredentials({ authority, names }, log)
}

async function fromFiles(config: CredentialOptions, log: Logger): Promise<CredentialSource> {
  const { tls, clientCaFile, clientAllowedNames } = config
  const files = { ...tls, clientCa: clientCaFile }
  const { read, problem } = await tryToRead(files)
  if (problem !== undefined) {
    log.error({ reason: problem }, 'only health is served: cannot use the certificate files')
  }
  const first = complete(read, config, log)
  warnOfExpired(first, clientCaFile, log)
  let current = read && first
  let watch: CredentialWatch | undefined
  return {
    first,
    authenticatesClients: clientCaFile !== undefined,
    allowedNames: () => clientAllowedNames,
    missing: () => (current === undefined ? (watch?.problem ?? problem) : undefined),
    problem: () => watch?.problem ?? (current && expiryOf(current)),
    start: (use) => {
      const onChange = (changed: Partial<Credentials>) => {
        const next = { ...first, ...changed }
        use(next)
        current = next
        warnOfExpired(next, clientCaFile, log)
      }
      watch = new CredentialWatch({ files, current: read, problem, onChange, log })
    },
    close: () => watch?.close(),
  }
}

/** The credentials of files, or why they cannot be used. */
async function tryToRead(files: Partial<CredentialFiles>): Promise<{
  readonly read?: Partial<Credentials>
  readonly problem?: string
}> {
  try {
    return { read: await readCredentials(files) }
  } catch (error) {
    return { problem: messageOf(error) }
  }
}

function warnOfExpired({ clientCa }: Credentials, file: string | undefined, log: Logger): void {
  const names = expiredSubjects(clientCa ?? '')
  if (names.length === 0) return
  log.warn({ file, names }, 'certificates of this bundle have expired: they verify no client')
}

function expiryOf(keys: Credentials): string | undefined {
  const end = notAfter(keys)
  return end.getTime() < Date.now() ? `the certificate expired at ${end.toISOString()}` : undefined
}

/** Adds a self-signed certificate where no file has one that can be used, and warns about each file that is not set. */
function complete(
  read: Partial<Credentials> | undefined,
  config: CredentialOptions,
  log: Logger,
): Credentials {
  if (config.clientCaFile === undefined) {
    log.warn({}, 'clients are not authenticated: CLIENT_CA_FILE is not set')
  }
  const { cert, key, clientCa } = read ?? {}
  if (cert !== undefined && key !== undefined) return { cert, key, clientCa }
  if (config.tls === undefined) {
    log.warn({}, 'the certificate is self-signed: TLS_CERT_FILE and TLS_KEY_FILE are not set')
  }
  return { ...createSelfSigned(config.names), clientCa }
}
