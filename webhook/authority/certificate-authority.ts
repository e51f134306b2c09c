// X.509: CA certificates, and leafs issued by one. Knows neither where they are kept nor who trusts them.
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import type { ServingKeys } from '#serving/https/tls.ts'
import { loadX509 } from '#serving/x509.ts'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

export const HOUR_MS = 3_600_000

/** Certificates begin this much early: clocks in a cluster differ. */
const EARLY_MS = HOUR_MS

/** A renewal is automatic and rare; a year bounds what a key that leaked unnoticed is good for. */
export const CA_LIFE_MS = 365 * 24 * HOUR_MS

/** The longest that a leaf lives. Nothing is ever revoked: this is how long a certificate outlives its pod. */
export const LEAF_LIFE_MS = 24 * HOUR_MS

/** RFC 5280's `ub-common-name`. */
const COMMON_NAME_LENGTH = 64

/** PEM of a certificate and of its private key. */
export interface CaKeys {
  readonly certificate: string
  readonly key: string
}

/** What a leaf is issued for. */
export interface LeafRequest {
  /** P-256 */
  readonly publicKey: CryptoKey
  /** DNS names: these and no others. */
  readonly names: readonly string[]
  /** Default and maximum: {@link LEAF_LIFE_MS}. */
  readonly lifeMs?: number
}

/** When to renew what is valid for this time (both ends in milliseconds): two thirds leave a third to succeed in. */
export function renewalTime(from: number, to: number): number {
  return from + ((to - from) * 2) / 3
}

/** Makes a key pair and a self-signed CA certificate that may sign leafs only. */
export async function createCaKeys(now: number): Promise<CaKeys> {
  const x509 = await loadX509()
  const keys = await generateKeys()
  const serialNumber = createSerial()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    // The serial tells one CA from the next; some verifiers find the issuer by its name alone.
    name: [{ CN: [`flux-metrics CA ${serialNumber.slice(0, 8)}`] }],
    notBefore: new Date(now - EARLY_MS),
    notAfter: new Date(now + CA_LIFE_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) }
}

/**
 * Issues a serving certificate, valid no longer than its CA.
 *
 * @returns PEM
 * @throws Error if the CA has expired, or if there is no name
 */
export async function issueLeaf(ca: CaKeys, request: LeafRequest, now: number): Promise<string> {
  const { publicKey, names, lifeMs = LEAF_LIFE_MS } = request
  if (names.length === 0) throw new Error('Cannot issue a certificate: expected a name, got none')
  const { validFromDate, validToDate } = new X509Certificate(ca.certificate)
  if (validToDate.getTime() <= now) {
    throw new Error(`Cannot issue a certificate: the CA expired at ${validToDate.toISOString()}`)
  }
  const x509 = await loadX509()
  const issuer = new x509.X509Certificate(ca.certificate)
  const end = now + Math.min(lifeMs, LEAF_LIFE_MS)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: createSerial(),
    subject: [{ CN: [commonName(names)] }],
    issuer: issuer.subjectName,
    notBefore: new Date(Math.max(now - EARLY_MS, validFromDate.getTime())),
    notAfter: new Date(Math.min(end, validToDate.getTime())),
    publicKey,
    signingKey: await importKey(ca.key),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: 'dns' as const, value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return certificate.toString('pem')
}

/** Makes a key pair and issues a certificate for it. Throws as {@link issueLeaf} does. */
export async function issueServingKeys(
  ca: CaKeys,
  names: readonly string[],
  now: number,
): Promise<ServingKeys> {
  const { publicKey, privateKey } = await generateKeys()
  return { cert: await issueLeaf(ca, { publicKey, names }, now), key: await exportKey(privateKey) }
}

async function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

async function exportKey(key: CryptoKey): Promise<string> {
  const x509 = await loadX509()
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

async function importKey(pem: string): Promise<CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return crypto.subtle.importKey('pkcs8', new Uint8Array(der), ALGORITHM, false, ['sign'])
}

/** 16 random bytes in hex. The first is kept from 0x40 to 0x7f: positive and of full length in DER. */
function createSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

/** For people only: verifiers look at the alternative names. */
function commonName(names: readonly string[]): string {
  return names.find(({ length }) => length <= COMMON_NAME_LENGTH) ?? 'flux-metrics'
}
