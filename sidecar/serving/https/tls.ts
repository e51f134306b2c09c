// Certificate files: reads and checks them, and reads them again when they change. Keeps the old certificates in use if
// the new files are invalid.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { Logger } from '../log.ts'
import { Reload } from '../reload.ts'
import { messageOf } from '../text.ts'

/** A serving certificate (with its chain) and its private key, PEM. */
export interface ServingKeys {
  readonly cert: string
  readonly key: string
}

/** All that a TLS server needs. */
export interface Credentials extends ServingKeys {
  /** CA of client certificates (PEM, one or more). Without it, clients are not asked for a certificate. */
  readonly clientCa: string | undefined
}

/** Paths of PEM files. */
export interface CredentialFiles {
  readonly cert: string
  readonly key: string
  readonly clientCa: string | undefined
}

/**
 * Reads and checks credentials.
 *
 * @throws Error that names the file and the problem: unreadable, not PEM, key of another certificate, expired, refused
 *   by OpenSSL. In a bundle of CAs some may have expired, but not all
 */
export async function readCredentials(
  files: Partial<CredentialFiles>,
): Promise<Partial<Credentials>> {
  const [cert, key, clientCa] = await Promise.all([
    files.cert === undefined ? undefined : readFile(files.cert, 'utf8'),
    files.key === undefined ? undefined : readFile(files.key, 'utf8'),
    files.clientCa === undefined ? undefined : readFile(files.clientCa, 'utf8'),
  ])
  if (cert !== undefined && key !== undefined) checkPair({ cert, key }, files)
  if (clientCa !== undefined) checkBundle(clientCa, files.clientCa)
  return {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    clientCa,
  }
}

/** When the certificate expires; the first one if there is a chain. */
export function notAfter(keys: ServingKeys): Date {
  return new X509Certificate(keys.cert).validToDate
}

/** The subjects of the certificates in a bundle (PEM) that have expired: they verify nobody. */
export function expiredSubjects(bundle: string): readonly string[] {
  return certificatesIn(bundle)
    .filter(hasExpired)
    .map(({ subject }) => subject)
}

/** Reads files again whenever their content changes, and passes on valid credentials. */
export class CredentialWatch {
  readonly #reload: Reload<Partial<Credentials>>

  /**
   * @param options.current the result of {@link readCredentials} that the server uses now; `undefined` if there was none,
   *   for the reason `options.problem`, which is logged already
   */
  constructor(options: {
    readonly files: Partial<CredentialFiles>
    readonly current: Partial<Credentials> | undefined
    readonly problem?: string | undefined
    readonly onChange: (credentials: Partial<Credentials>) => void
    readonly log: Logger
  }) {
    const { files, current, problem, onChange, log } = options
    this.#reload = new Reload({
      read: () => readCredentials(files),
      fingerprint,
      current,
      problem,
      onChange: (credentials) => {
        onChange(credentials)
        log.info({ files }, 'loaded new certificates')
      },
      onRefused: (err) =>
        log.warn({ err }, 'cannot use the new certificate files: keeping the old certificates'),
    })
  }

  /** Why the files, as they are now, are not used; `undefined` if they are. */
  get problem(): string | undefined {
    return this.#reload.problem
  }

  /** Reads now. Never rejects: invalid files are logged once, and the old certificates stay in use. */
  check(): Promise<void> {
    return this.#reload.check()
  }

  close(): void {
    this.#reload.close()
  }
}

function fingerprint({ cert, key, clientCa }: Partial<Credentials>): string {
  return JSON.stringify([cert, key, clientCa])
}

function checkPair(keys: ServingKeys, files: Partial<CredentialFiles>): void {
  const certificate = parseCertificate(keys.cert, files.cert)
  let matches: boolean
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(keys.key))
  } catch (cause) {
    throw new Error(`Cannot use "${files.key}": expected a private key in PEM`, { cause })
  }
  if (!matches) throw new Error(`Cannot use "${files.key}": it is not the key of "${files.cert}"`)
  try {
    // OpenSSL may still refuse a pair that parses, such as a key of 1024 bits. It is better to notice that here than when
    // the server starts to use it.
    createSecureContext(keys)
  } catch (cause) {
    throw new Error(`Cannot use "${files.cert}": ${messageOf(cause)}`, { cause })
  }
}

/** A CA that is renewed stands beside its successor for a while, and may expire there. */
function checkBundle(bundle: string, path: string | undefined): void {
  let certificates: readonly X509Certificate[]
  try {
    certificates = certificatesIn(bundle)
    createSecureContext({ ca: bundle })
  } catch (cause) {
    throw new Error(`Cannot use "${path}": expected a certificate in PEM`, { cause })
  }
  if (certificates.length === 0) {
    throw new Error(`Cannot use "${path}": expected a certificate in PEM`)
  }
  if (!certificates.every(hasExpired)) return
  const end = Math.max(...certificates.map(({ validToDate }) => validToDate.getTime()))
  throw new Error(`Cannot use "${path}": it expired at ${new Date(end).toISOString()}`)
}

const PEM_CERTIFICATE = /-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[^-]*-----END \1-----/g

/** The certificates of a bundle (PEM). @throws Error if one of them cannot be read */
export function certificatesIn(bundle: string): readonly X509Certificate[] {
  return [...bundle.matchAll(PEM_CERTIFICATE)].map(([pem]) => new X509Certificate(pem))
}

function hasExpired({ validToDate }: X509Certificate): boolean {
  return validToDate.getTime() < Date.now()
}

function parseCertificate(pem: string, path: string | undefined): X509Certificate {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pem)
  } catch (cause) {
    throw new Error(`Cannot use "${path}": expected a certificate in PEM`, { cause })
  }
  if (hasExpired(certificate)) {
    throw new Error(`Cannot use "${path}": it expired at ${certificate.validToDate.toISOString()}`)
  }
  return certificate
}
