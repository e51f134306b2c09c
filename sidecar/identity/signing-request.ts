// A key of our own, and the request (PKCS #10, RFC 2986) to certify it. The key is in memory only.
import { loadX509 } from '#serving/x509.ts'

/** A new private key, and the request for its certificate; PEM. */
export interface KeyAndRequest {
  readonly key: string
  readonly csr: string
}

/**
 * Makes a P-256 key and a request that is signed with it.
 *
 * @param names DNS names to be certified
 */
export async function createKeyAndRequest(names: readonly string[]): Promise<KeyAndRequest> {
  const x509 = await loadX509()
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const dns = names.map((value) => ({ type: 'dns' as const, value }))
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension(dns)],
  })
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { key: x509.PemConverter.encode(key, 'PRIVATE KEY'), csr: request.toString('pem') }
}
