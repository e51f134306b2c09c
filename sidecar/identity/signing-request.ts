// A new private key, and the request (PKCS #10, RFC 2986) for its certificate. The key is only in memory. The webhook
// reads such requests in webhook/identities/certificate-request.ts.
import {
  alternativeNames,
  createKeyPair,
  signedPem,
} from '#serving/certificates/certificate-parts.ts'
import { der, oid, sequence, set } from '#serving/certificates/der.ts'

/** A private key, and the request for its certificate; PEM. */
export interface KeyAndRequest {
  readonly key: string
  readonly csr: string
}

/** Version 1 of a request. */
const VERSION = der(0x02, Uint8Array.of(0))
const NO_SUBJECT = sequence()
/** The attribute that has the wanted extensions (RFC 2985 §5.4.2). */
const EXTENSION_REQUEST = oid('1.2.840.113549.1.9.14')

/**
 * Creates a P-256 key and a request that is signed with it.
 *
 * @param names DNS names that the certificate is to have
 */
export function createKeyAndRequest(names: readonly string[]): KeyAndRequest {
  const { privateKey, publicKey, pem } = createKeyPair()
  const wanted = sequence(EXTENSION_REQUEST, set(sequence(alternativeNames(names))))
  const body = sequence(VERSION, NO_SUBJECT, publicKey, der(0xa0, wanted))
  return { key: pem, csr: signedPem('CERTIFICATE REQUEST', body, privateKey) }
}
