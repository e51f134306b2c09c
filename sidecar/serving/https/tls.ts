// Certificate files → what the server uses now. Reads them again when they change; keeps the old ones if the new are no good.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { Logger } from '../log.ts'
import { Reload } from '../reload.ts'

/** A serving certificate (with its chain) and its private key, PEM. */
export interface ServingKeys {
  readonly cert: string
  readonly key: string
}

/** All that a TLS server needs to know. */
export interface Credentials extends ServingKeys {
  /** CA of client certificates (PEM, one or more); without it clients are not asked for one. */
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
 * @throws Error naming the file and what is wrong with it: unreadable, no PEM, key of another certificate, expired,
 *   refused by OpenSSL
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
  if (clientCa !== undefined) parseCertificate(clientCa, files.clientCa)
  return {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    clientCa,
  }
}

/** When the certificate, the first of its file, is no longer valid. */
export function notAfter(keys: ServingKeys): Date {
  return new X509Certificate(keys.cert).validToDate
}

/** Reads files again whenever their content changes and hands on what is good. */
export class CredentialWatch {
  readonly #reload: Reload<Partial<Credentials>>

  /** @param current what {@link readCredentials} gave and the server uses */
  constructor(options: {
    readonly files: Partial<CredentialFiles>
    readonly current: Partial<Credentials>
    readonly onChange: (credentials: Partial<Credentials>) => void
    readonly log: Logger
    readonly intervalMs?: number
  }) {
    const { files, current, onChange, log, intervalMs } = options
    this.#reload = new Reload({
      read: () => readCredentials(files),
      fingerprint,
      current,
      onChange: (credentials) => {
        onChange(credentials)
        log.info({ files }, 'loaded new certificates')
      },
      onRefused: (err) => log.warn({ err }, 'kept the certificates: the new files are no good'),
      intervalMs,
    })
  }

  /** Looks now. Never rejects: files that are no good are logged once, and the old ones stay in use. */
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
    // What parses may still be refused, a key of 1024 bits for one: better here than when the server is to use it.
    createSecureContext(keys)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`Cannot use "${files.cert}": ${why}`, { cause })
  }
}

function parseCertificate(pem: string, path: string | undefined): X509Certificate {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pem)
  } catch (cause) {
    throw new Error(`Cannot use "${path}": expected a certificate in PEM`, { cause })
  }
  if (certificate.validToDate.getTime() < Date.now()) {
    throw new Error(`Cannot use "${path}": it expired at ${certificate.validToDate.toISOString()}`)
  }
  return certificate
}
