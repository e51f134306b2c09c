// Certificate signing requests of every kind, valid and invalid ones.
import 'reflect-metadata'
import {
  type JsonGeneralNames,
  PemConverter,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
} from '@peculiar/x509'

export const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
export const P384 = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' }
export const ED25519 = { name: 'Ed25519' }

export function rsa(modulusLength: number) {
  const publicExponent = new Uint8Array([1, 0, 1])
  return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength, publicExponent }
}

export interface RequestOptions {
  /** The algorithm of the key. Default: P-256. */
  readonly algorithm?: Algorithm
  /** Alternative names of any type. */
  readonly names?: readonly JsonGeneralNames[number][]
  /** The common name of the subject. */
  readonly commonName?: string
}

/** A request, PEM. */
export async function createRequest(options: RequestOptions = {}): Promise<string> {
  const { algorithm = P256, names = [], commonName } = options
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  if (!('privateKey' in keys)) throw new TypeError('Cannot sign with a symmetric key')
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: algorithm,
    ...(commonName === undefined ? {} : { name: [{ CN: [commonName] }] }),
    extensions: names.length === 0 ? [] : [new SubjectAlternativeNameExtension([...names])],
  })
  return request.toString('pem')
}

export function dns(...names: readonly string[]) {
  return names.map((value) => ({ type: 'dns' as const, value }))
}

export function bytesOf(pem: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Pkcs10CertificateRequest(pem).rawData)
}

export function toPem(bytes: Uint8Array): string {
  return PemConverter.encode(new Uint8Array(bytes), 'CERTIFICATE REQUEST')
}

/** The same request with its last byte changed, which is in its signature. */
export function forge(pem: string): string {
  const bytes = bytesOf(pem)
  const last = bytes.length - 1
  bytes[last] = (bytes[last] ?? 0) ^ 1
  return toPem(bytes)
}
