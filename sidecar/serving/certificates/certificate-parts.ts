// What a certificate and a request for one have in common: a P-256 key, alternative names, a signature. The X.509 library that
// the webhook uses would make every sidecar 10 MiB larger, for two fixed forms.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { bits, der, octets, oid, sequence, TRUE } from './der.ts'

/** RFC 5758 §3.2 */
export const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))

export interface KeyPair {
  readonly privateKey: KeyObject
  /** PKCS #8, PEM. */
  readonly pem: string
  /** SubjectPublicKeyInfo (RFC 5280 §4.1), DER. */
  readonly publicKey: Buffer
}

export function createKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    privateKey,
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
  }
}

/** An extension of a certificate (RFC 5280 §4.2). */
export function extension(
  id: string,
  value: Buffer,
  { critical = false }: { readonly critical?: boolean } = {},
): Buffer {
  return sequence(oid(id), ...(critical ? [TRUE] : []), octets(value))
}

/** The extension with the alternative names (RFC 5280 §4.2.1.6). An address has four bytes. */
export function alternativeNames(
  dns: readonly string[],
  addresses: readonly Uint8Array[] = [],
): Buffer {
  const names = [
    ...dns.map((name) => der(0x82, Buffer.from(name, 'latin1'))),
    ...addresses.map((address) => der(0x87, address)),
  ]
  return extension('2.5.29.17', sequence(...names))
}

/** A body and the signature of its bytes, as PEM with this label. */
export function signedPem(label: string, body: Buffer, privateKey: KeyObject): string {
  const whole = sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, privateKey)))
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
