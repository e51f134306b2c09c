// A certificate signing request (PKCS #10, RFC 2986): what it asks for, and whether who asks has the key.
import { loadX509 } from '#serving/x509.ts'

/** A request that holds together: its signature is of its own key. */
export interface CertificateRequest {
  readonly publicKey: CryptoKey
  /** `P-256` for the one kind of key that we certify, else what it is. */
  readonly keyKind: string
  /** DNS names asked for; empty if none is. */
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
  try {
    request = new Pkcs10CertificateRequest(pem)
  } catch (cause) {
    throw new Error('expected a certificate signing request in PEM', { cause })
  }
  const { algorithm } = request.publicKey
  const curve = 'namedCurve' in algorithm ? String(algorithm.namedCurve) : ''
  if (curve !== P256.namedCurve) {
    const bits = 'modulusLength' in algorithm ? ` of ${String(algorithm.modulusLength)} bits` : ''
    const keyKind = curve === '' ? `${algorithm.name}${bits}` : `${algorithm.name} on ${curve}`
    return { publicKey: await request.publicKey.export(), keyKind, dnsNames: [], otherNames: [] }
  }
  if (!(await request.verify().catch(() => false))) {
    throw new Error('expected it to be signed with its own key')
  }
  const names = request
    .getExtensions(SUBJECT_ALTERNATIVE_NAME)
    .flatMap((found) => (found instanceof SubjectAlternativeNameExtension ? found.names.items : []))
  return {
    publicKey: await request.publicKey.export(P256, ['verify']),
    keyKind: 'P-256',
    dnsNames: names.flatMap(({ type, value }) => (type === 'dns' ? [value] : [])),
    otherNames: names.flatMap(({ type, value }) => (type === 'dns' ? [] : [`${type}:${value}`])),
  }
}
