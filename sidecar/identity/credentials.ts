// Where the server's certificate comes from, and whom it takes for the front proxy: files, the authority, or a
// certificate of our own for a first try.

import { createSelfSigned } from '#serving/https/self-signed.ts'
import { type Credentials, CredentialWatch, readCredentials } from '#serving/https/tls.ts'
import type { Logger } from '#serving/log.ts'
import { Identity } from './identity.ts'

/** Where certificates come from, and the names that ours is to be valid for. */
export interface CredentialOptions {
  /** Files of the serving certificate; without them, and without an authority, one is made at start. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** File with the front proxy's authority; without it, and without an authority, clients are not authenticated. */
  readonly clientCaFile: string | undefined
  /** Common names of the front proxy; empty: any. */
  readonly clientAllowedNames: readonly string[]
  /** The webhook, which then issues the certificate and says who the front proxy is. */
  readonly authority: Authority | undefined
  readonly names: {
    readonly namespace: string
    readonly minicluster: string
    /** The Service in front of the sidecar. */
    readonly serviceName: string
  }
}

/** The webhook as authority. */
export interface Authority {
  /** `https://NAME.NAMESPACE.svc` */
  readonly url: string
  readonly tokenFile: string
  /** PEM */
  readonly ca: string
}

/** Credentials that may change, as the program uses them. */
export interface CredentialSource {
  /** To begin with. */
  readonly first: Credentials
  /** Whether clients are to show certificates, now or once their authority is known. */
  readonly authenticatesClients: boolean
  /** Common names of the front proxy; none is any. */
  allowedNames(): readonly string[]
  /** Why there is no certificate that others would trust, while one is awaited. */
  missing(): string | undefined
  /** Hands on all later credentials. */
  start(use: (credentials: Credentials) => void): void
  close(): void
}

/** @throws Error naming the file that is no good */
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
  const read = await readCredentials(files)
  const first = await complete(read, config, log)
  let watch: CredentialWatch | undefined
  return {
    first,
    authenticatesClients: clientCaFile !== undefined,
    allowedNames: () => clientAllowedNames,
    missing: () => undefined,
    start: (use) => {
      const onChange = (changed: Partial<Credentials>) => use({ ...first, ...changed })
      watch = new CredentialWatch({ files, current: read, onChange, log })
    },
    close: () => watch?.close(),
  }
}

async function fromAuthority(
  config: CredentialOptions,
  authority: NonNullable<CredentialOptions['authority']>,
  log: Logger,
): Promise<CredentialSource> {
  const names = namesOf(config)
  const placeholder = { ...(await createSelfSigned(names)), clientCa: undefined }
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
    start: (listener) => {
      use = listener
      identity.start()
    },
    close: () => identity.close(),
  }
}

/** The Service in front of us, and the MiniCluster itself, for whoever asks it directly. */
function namesOf({ names }: CredentialOptions): readonly string[] {
  const { serviceName, namespace, minicluster } = names
  return [
    `${serviceName}.${namespace}.svc`,
    `${minicluster}.${namespace}.miniclusters.flux-metrics`,
  ]
}

/** Makes up for what no file gives, and says what that means. */
async function complete(
  read: Partial<Credentials>,
  config: CredentialOptions,
  log: Logger,
): Promise<Credentials> {
  if (config.clientCaFile === undefined) {
    log.warn({}, 'clients are not authenticated: CLIENT_CA_FILE is not set')
  }
  const { cert, key, clientCa } = read
  if (cert !== undefined && key !== undefined) return { cert, key, clientCa }
  log.warn({}, 'the certificate is self-signed: TLS_CERT_FILE and TLS_KEY_FILE are not set')
  return { ...(await createSelfSigned(namesOf(config))), clientCa }
}
