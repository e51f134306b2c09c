// A new private key, and the request (PKCS #10, RFC 2986) for its certificate. The key is only in memory. The webhook
// reads such requests in webhook/identities/certificate-request.ts.
import { generateKeys, loadX509, P256, toPem } from '#serving/x509.ts'

/** A private key, and the request for its certificate; PEM. */
export interface KeyAndRequest {
  readonly key: string
  readonly csr: string
}

/**
 * Creates a P-256 key and a request that is signed with it.
 *
 * @param names DNS names that the certificate is to have
 */
export async function createKeyAndRequest(names: readonly string[]): Promise<KeyAndRequest> {
  const x509 = await loadX509()
  const keys = await generateKeys()
  const dns = names.map((value) => ({ type: 'dns' as const, value }))
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: P256,
    extensions: [new x509.SubjectAlternativeNameExtension(dns)],
  })
  return { key: await toPem(keys.privateKey), csr: request.toString('pem') }
}
