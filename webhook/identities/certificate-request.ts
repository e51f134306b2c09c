// Reads a certificate signing request (PKCS #10, RFC 2986): the names and the key that it asks for, and whether it is
// signed with that key. Whether the sidecar may have the names is decided in identities.ts.
import { loadX509, P256 } from '../authority/x509.ts'

/** A request whose signature was checked with its own key. */
export interface CertificateRequest {
  /** `undefined` if the key is not on the curve P-256, the only kind that is certified: then nothing else is read. */
  readonly publicKey: CryptoKey | undefined
  /** The kind of the key, in words. */
  readonly keyKind: string
  /** DNS names in the request, including the common name of its subject. */
  readonly dnsNames: readonly string[]
  /** Names of other types, as `type:value`. */
  readonly otherNames: readonly string[]
}

/** RFC 5280 §4.2.1.6 */
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'

/**
 * Reads a request.
 *
 * @throws Error that says why it is invalid
 */
export async function parseCertificateRequest(pem: string): Promise<CertificateRequest> {
  const x509 = await loadX509()
  const { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } = x509
  let request: InstanceType<typeof Pkcs10CertificateRequest>
  let keyKind: string
  try {
    request = new Pkcs10CertificateRequest(pem)
    keyKind = describeKey(request.publicKey.algorithm)
  } catch (cause) {
    throw new Error('expected a certificate signing request in PEM', { cause })
  }
  if (keyKind !== P256.namedCurve) {
    return { publicKey: undefined, keyKind, dnsNames: [], otherNames: [] }
  }
  if (!(await request.verify().catch(() => false))) {
    throw new Error('expected it to be signed with its own key')
  }
  const names = [...request.getExtensions(SUBJECT_ALTERNATIVE_NAME)].flatMap((found) =>
    found instanceof SubjectAlternativeNameExtension ? [...found.names.items] : [],
  )
  return {
    publicKey: await request.publicKey.export(P256, ['verify']),
    keyKind,
    dnsNames: [
      ...names.flatMap(({ type, value }) => (type === 'dns' ? [value] : [])),
      ...request.subjectName.getField('CN'),
    ],
    otherNames: names.flatMap(({ type, value }) => (type === 'dns' ? [] : [`${type}:${value}`])),
  }
}

/** For ECDSA on P-256 only the name of the curve. */
function describeKey(algorithm: Algorithm): string {
  const { name } = algorithm
  if ('namedCurve' in algorithm) {
    const curve = String(algorithm.namedCurve)
    return name === P256.name && curve === P256.namedCurve ? curve : `${name} on ${curve}`
  }
  return 'modulusLength' in algorithm ? `${name} of ${String(algorithm.modulusLength)} bits` : name
}
