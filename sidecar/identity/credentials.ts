// Chooses the source of the server's certificate and of the front proxy's CA: files, the authority, or a self-signed
// certificate for a first try. Serves nothing itself.

import { sidecarNames } from '#serving/certificates/certificate-names.ts'
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
import { Identity } from './identity.ts'

/** The source of certificates, and the names for which the sidecar's certificate is valid. */
export interface CredentialOptions {
  /** Files of the serving certificate. Without them, and without an authority, a self-signed one is created at start. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** File of the front proxy's CA. Without it, and without an authority, clients are not authenticated. */
  readonly clientCaFile: string | undefined
  /** Common names of the front proxy; empty: any. */
  readonly clientAllowedNames: readonly string[]
  /** The webhook, if it issues the certificate and sends the front proxy's CA. */
  readonly authority: Authority | undefined
  readonly names: {
    readonly namespace: string
    readonly minicluster: string
    /** The Service in front of the sidecar. */
    readonly serviceName: string
  }
}

/** How to reach the webhook as authority. */
export interface Authority {
  /** `https://NAME.NAMESPACE.svc` */
  readonly url: string
  readonly tokenFile: string
  /** PEM */
  readonly ca: string
}

/** Credentials that may change while the program runs. */
export interface CredentialSource {
  /** The credentials at start. */
  readonly first: Credentials
  /** Whether clients must show certificates, now or as soon as their CA is known. */
  readonly authenticatesClients: boolean
  /** Common names of the front proxy; an empty list is any name. */
  allowedNames(): readonly string[]
  /** Why there are no credentials yet, or no longer; `undefined` if none are missing. */
  missing(): string | undefined
  /** What is wrong with the credentials in use, or with newer ones that cannot be used; `undefined` if nothing is. */
  problem(): string | undefined
  /** Passes on all later credentials. */
  start(use: (credentials: Credentials) => void): void
  close(): void
}

/** Files that cannot be used, and an authority that does not answer, are no errors: they may be good later. */
export async function createCredentials(
  config: CredentialOptions,
  log: Logger,
): Promise<CredentialSource> {
  return config.authority === undefined
    ? fromFiles(config, log.child({ component: 'tls' }))
    : fromAuthority(config, config.authority, log.child({ component: 'identity' }))
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

async function fromAuthority(
  config: CredentialOptions,
  authority: NonNullable<CredentialOptions['authority']>,
  log: Logger,
): Promise<CredentialSource> {
  const names = sidecarNames(config.names)
  const placeholder = { ...createSelfSigned(names), clientCa: undefined }
  let use: (credentials: Credentials) => void = () => {}
  const identity = new Identity({
    ...authority,
    names,
    log,
    onCredentials: (credentials = placeholder) => use(credentials),
  })
  return {
    first: placeholder,
    authenticatesClients: true,
    allowedNames: () => identity.allowedNames,
    missing: () => identity.missing,
    problem: () => identity.problem,
    start: (listener) => {
      use = listener
      identity.start()
    },
    close: () => identity.close(),
  }
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
  return { ...createSelfSigned(sidecarNames(config.names)), clientCa }
}
