// Certificate authorities and certificates for tests, created in memory.
import 'reflect-metadata'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const HOUR_MS = 3_600_000

/** PEM of a certificate and of its key. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface LeafOptions {
  readonly commonName: string
  readonly dns?: readonly string[]
  readonly ips?: readonly string[]
  /** `null` leaves the extension out. */
  readonly extendedKeyUsage?: readonly ('serverAuth' | 'clientAuth')[] | null
  readonly notBefore?: Date
  readonly notAfter?: Date
}

/** A certificate authority of a test. */
export interface Authority {
  /** Its own certificate, PEM. */
  readonly cert: string
  issue(options: LeafOptions): Promise<KeyPair>
}

/** Another authority with the same name and key can replace one that has expired. */
export interface AuthorityOptions {
  readonly keys?: CryptoKeyPair
  readonly notAfter?: Date
}

export function createKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

export async function createAuthority(
  commonName: string,
  { keys: given, notAfter = new Date(Date.now() + 24 * HOUR_MS) }: AuthorityOptions = {},
): Promise<Authority> {
  const keys = given ?? (await createKeys())
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    notBefore: new Date(Date.now() - HOUR_MS),
    notAfter,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      // Tells authorities of the same name apart, as kubeadm's and OpenSSL's do.
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return {
    cert: certificate.toString('pem'),
    issue: (options) => issue(certificate, keys.privateKey, options),
  }
}

async function issue(
  authority: X509Certificate,
  signingKey: CryptoKey,
  options: LeafOptions,
): Promise<KeyPair> {
  const keys = await createKeys()
  const { dns = [], ips = [], extendedKeyUsage = ['serverAuth'] } = options
  const names = [
    ...dns.map((value) => ({ type: 'dns' as const, value })),
    ...ips.map((value) => ({ type: 'ip' as const, value })),
  ]
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: [options.commonName] }],
    issuer: authority.subjectName,
    notBefore: options.notBefore ?? new Date(Date.now() - HOUR_MS),
    notAfter: options.notAfter ?? new Date(Date.now() + 24 * HOUR_MS),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      await AuthorityKeyIdentifierExtension.create(authority.publicKey),
      ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
      ...(extendedKeyUsage === null
        ? []
        : [
            new ExtendedKeyUsageExtension(extendedKeyUsage.map((usage) => ExtendedKeyUsage[usage])),
          ]),
    ],
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  return { cert: certificate.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') }
}

/** A certificate with its key that can be parsed, but that OpenSSL refuses to use: RSA of 1024 bits. */
export async function issueWeak(): Promise<KeyPair> {
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 1024,
    publicExponent: new Uint8Array([1, 0, 1]),
  }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ['weak'] }],
    notAfter: new Date(Date.now() + HOUR_MS),
    keys,
    signingAlgorithm: algorithm,
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  return { cert: certificate.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') }
}
