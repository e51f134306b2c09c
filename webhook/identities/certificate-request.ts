// A certificate signing request (PKCS #10, RFC 2986): what it asks for, and whether who asks has the key.
import { loadX509 } from '#serving/x509.ts'

/** A request that holds together: its signature is of its own key. */
export interface CertificateRequest {
  /** `undefined` if it is of another kind than the one that we certify, P-256: then nothing else is read. */
  readonly publicKey: CryptoKey | undefined
  /** What the key is, in words. */
  readonly keyKind: string
  /** DNS names asked for, those of the subject among them; empty if none is. */
  readonly dnsNames: readonly string[]
  /** Names of other types, as `type:value`. */
  readonly otherNames: readonly string[]
}

/** RFC 5280 §4.2.1.6 */
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'

const P256 = { name: 'ECDSA', namedCurve: 'P-256' }

/**
 * Reads a request.
 *
 * @throws Error that says what is wrong with it
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

/** The curve alone for ECDSA on P-256. */
function describeKey(algorithm: Algorithm): string {
  const { name } = algorithm
  if ('namedCurve' in algorithm) {
    const curve = String(algorithm.namedCurve)
    return name === P256.name && curve === P256.namedCurve ? curve : `${name} on ${curve}`
  }
  return 'modulusLength' in algorithm ? `${name} of ${String(algorithm.modulusLength)} bits` : name
}
