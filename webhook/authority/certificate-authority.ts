// Creates X.509 certificates: those of CAs, and leafs that a CA issues. Does not know where they are stored or who trusts
// them.
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import type { ServingKeys } from '#serving/https/tls.ts'
import { generateKeys, loadX509, P256, toPem } from './x509.ts'

export const HOUR_MS = 3_600_000

/** Certificates are valid from this long before now: clocks in a cluster differ. */
const EARLY_MS = HOUR_MS

/** A renewal is automatic, so it may be rare. A year limits how long a stolen key can be used unnoticed. */
export const CA_LIFE_MS = 365 * 24 * HOUR_MS

/** The longest life of a leaf. Nothing is ever revoked, so a certificate may outlive its pod by this time. */
export const LEAF_LIFE_MS = 24 * HOUR_MS

/** RFC 5280's `ub-common-name`. */
const COMMON_NAME_LENGTH = 64

/** PEM of a certificate and of its private key. */
export interface CaKeys {
  readonly certificate: string
  readonly key: string
}

/** The key, the names and the life of a leaf to issue. */
export interface LeafRequest {
  /** P-256 */
  readonly publicKey: CryptoKey
  /** DNS names: the certificate has exactly these. */
  readonly names: readonly string[]
  /** Default and maximum: {@link LEAF_LIFE_MS}. */
  readonly lifeMs?: number
}

/** When to renew a certificate (both times in milliseconds): after two thirds, which leaves a third for attempts. */
export function renewalTime(from: number, to: number): number {
  return from + ((to - from) * 2) / 3
}

/** Creates a key pair and a self-signed CA certificate that may sign only leafs. */
export async function createCaKeys(now: number): Promise<CaKeys> {
  const x509 = await loadX509()
  const keys = await generateKeys()
  const serialNumber = createSerial()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    // The name contains the serial number, because some verifiers find the issuer by its name alone.
    name: [{ CN: [`flux-metrics CA ${serialNumber.slice(0, 8)}`] }],
    notBefore: new Date(now - EARLY_MS),
    notAfter: new Date(now + CA_LIFE_MS),
    keys,
    signingAlgorithm: P256,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await toPem(keys.privateKey) }
}

/**
 * Issues a serving certificate, which expires no later than its CA.
 *
 * @returns PEM
 * @throws Error if the CA has expired, or if no name is given
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
    signingAlgorithm: P256,
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

/** Creates a key pair and issues a certificate for it. Throws as {@link issueLeaf} does. */
export async function issueServingKeys(
  ca: CaKeys,
  names: readonly string[],
  now: number,
): Promise<ServingKeys> {
  const { publicKey, privateKey } = await generateKeys()
  return { cert: await issueLeaf(ca, { publicKey, names }, now), key: await toPem(privateKey) }
}

async function importKey(pem: string): Promise<CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return crypto.subtle.importKey('pkcs8', new Uint8Array(der), P256, false, ['sign'])
}

/** 16 random bytes in hex. The first is from 0x40 to 0x7f, so that the number is positive and of full length in DER. */
function createSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

/** For people only: verifiers read the alternative names. */
function commonName(names: readonly string[]): string {
  return names.find(({ length }) => length <= COMMON_NAME_LENGTH) ?? 'flux-metrics'
}
