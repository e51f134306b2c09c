// Creates X.509 certificates: those of CAs, of a CA by the CA before it, and leafs that a CA issues. Does not know where they
// are stored or who trusts them.
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import type { ServingKeys } from '#serving/https/tls.ts'
import { NAME_CONSTRAINTS, nameConstraints } from './name-constraints.ts'
import { generateKeys, loadX509, P256, toPem } from './x509.ts'

export const HOUR_MS = 3_600_000

/** Certificates are valid from this long before now: clocks in a cluster differ. */
const EARLY_MS = HOUR_MS

const DAY_MS = 24 * HOUR_MS

/**
 * A pod has the CA of its creation for as long as it exists, and clients refuse an expired CA, whatever it has signed: so a CA
 * is valid for much longer than it signs. A pod can be four years old.
 */
export const CA_LIFE_MS = 5 * 365 * DAY_MS

/** How long a CA signs before the next one is created. Then its key is deleted, and nobody can steal it any more. */
export const CA_TERM_MS = 243 * DAY_MS

/** The longest life of a leaf. Nothing is ever revoked, so a certificate may outlive its pod by this time. */
export const LEAF_LIFE_MS = DAY_MS

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
  /** The common name by which servers know the holder as a client. Without it the certificate is for servers alone. */
  readonly clientName?: string | undefined
}

/** When to renew a certificate (both times in milliseconds): after two thirds, which leaves a third for attempts. */
export function renewalTime(from: number, to: number): number {
  return from + ((to - from) * 2) / 3
}

/** Creates a key pair and a self-signed CA certificate. It limits the names of all certificates below it, not their number. */
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
    extensions: await caExtensions(keys.publicKey),
  })
  return { certificate: certificate.toString('pem'), key: await toPem(keys.privateKey) }
}

/**
 * Signs the key of a CA with that of the CA before it: clients that trust only the older one then trust what the newer one
 * issues, as long as both are valid.
 *
 * @param newer PEM of its certificate
 * @returns PEM
 */
export async function crossSign(older: CaKeys, newer: string): Promise<string> {
  const x509 = await loadX509()
  const issuer = new x509.X509Certificate(older.certificate)
  const subject = new x509.X509Certificate(newer)
  const publicKey = await subject.publicKey.export(P256, ['verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: createSerial(),
    subject: subject.subjectName,
    issuer: issuer.subjectName,
    notBefore: subject.notBefore,
    notAfter: new Date(Math.min(issuer.notAfter.getTime(), subject.notAfter.getTime())),
    publicKey,
    signingKey: await importKey(older.key),
    signingAlgorithm: P256,
    extensions: [
      ...(await caExtensions(publicKey)),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return certificate.toString('pem')
}

/**
 * Issues a certificate of a server, which expires no later than its CA.
 *
 * @returns PEM
 * @throws Error if the CA has expired, or if no name is given
 */
export async function issueLeaf(ca: CaKeys, request: LeafRequest, now: number): Promise<string> {
  const { publicKey, names, lifeMs = LEAF_LIFE_MS, clientName } = request
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
    subject: [{ CN: [clientName ?? commonName(names)] }],
    issuer: issuer.subjectName,
    notBefore: new Date(Math.max(now - EARLY_MS, validFromDate.getTime())),
    notAfter: new Date(Math.min(end, validToDate.getTime())),
    publicKey,
    signingKey: await importKey(ca.key),
    signingAlgorithm: P256,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        ...(clientName === undefined ? [] : [x509.ExtendedKeyUsage.clientAuth]),
      ]),
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

async function caExtensions(publicKey: CryptoKey) {
  const x509 = await loadX509()
  const usages = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign
  return [
    // Without a limit of the path: an older CA stands above each newer one.
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(usages, true),
    new x509.Extension(NAME_CONSTRAINTS, true, new Uint8Array(nameConstraints())),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
  ]
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

/** Of a server, for people only: clients read the alternative names. */
function commonName(names: readonly string[]): string {
  return names.find(({ length }) => length <= COMMON_NAME_LENGTH) ?? 'flux-metrics'
}
