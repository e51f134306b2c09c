// Encodes the CA's state as the content of a Secret, and decodes it. Errors name the key of an invalid value, never the
// value itself. Reads and writes no Secret: ca-store.ts does.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import * as v from 'valibot'
import type { ClusterObject } from '../kubernetes/cluster.ts'
import {
  type CaState,
  type RetiredCa,
  type SigningCa,
  type TrustedCa,
  toSigningCa,
  toTrustedCa,
} from './ca-state.ts'

/** Set by people. Any new text asks for a renewal of the CA now. */
const RENEW_ANNOTATION = 'flux-metrics/renew'
/** Set by the webhook: the text of the last renewal that was done. */
const RENEWED_ANNOTATION = 'flux-metrics/renewed'

const MISSING = 'expected a value, found none'
const REMEDY = 'correct the Secret, or delete it to have a new CA created'

/** The messages replace those of the library, which quote the value: here it may be a private key. */
function base64(expected: string) {
  return v.pipe(
    v.string(`expected ${expected} in base64`),
    v.base64(`expected ${expected} in base64`),
    v.transform((text) => Buffer.from(text, 'base64').toString('utf8')),
  )
}

const CERTIFICATE = base64('a certificate in PEM')
const KEY = base64('a private key in PEM')
const TIMES = 'expected a list of certificates with the time until when each is trusted'

const CROSSED = 'expected a list of CA certificates in PEM'

const RETIRED = v.array(
  v.object({
    certificate: v.string(TIMES),
    until: v.pipe(
      v.string(TIMES),
      v.isoTimestamp(TIMES),
      v.transform((text) => Date.parse(text)),
    ),
  }),
  TIMES,
)

type Retired = v.InferOutput<typeof RETIRED>[number]

const SECRET = v.object({
  metadata: v.object({ annotations: v.optional(v.record(v.string(), v.string()), {}) }),
  data: v.object({
    'current.crt': CERTIFICATE,
    'current.key': KEY,
    'next.crt': v.optional(CERTIFICATE),
    'next.key': v.optional(KEY),
    'previous.json': v.optional(v.pipe(base64('JSON'), v.parseJson({}, TIMES), RETIRED)),
    'crossed.json': v.optional(
      v.pipe(base64('JSON'), v.parseJson({}, CROSSED), v.array(v.string(CROSSED), CROSSED)),
    ),
  }),
})

/**
 * Decodes and checks the content of a Secret. Expired certificates are accepted.
 *
 * @throws Error that names the Secret, the key and what was expected
 */
export function decodeSecret(object: ClusterObject): CaState {
  const parsed = v.safeParse(SECRET, object)
  if (!parsed.success) throw invalidSecret(object, ...problemOf(parsed.issues[0]))
  const { data, metadata } = parsed.output
  const signing = (name: 'current' | 'next'): SigningCa => {
    const certificate = data[`${name}.crt`]
    const key = data[`${name}.key`]
    if (certificate === undefined) throw invalidSecret(object, `${name}.crt`, MISSING)
    if (key === undefined) throw invalidSecret(object, `${name}.key`, MISSING)
    const parsedCertificate = readCa(certificate)
    if (parsedCertificate === undefined) {
      throw invalidSecret(object, `${name}.crt`, 'expected a self-signed CA certificate in PEM')
    }
    if (!isKeyOf(parsedCertificate, key)) {
      const expected = `expected the P-256 private key of "${name}.crt" in PEM`
      throw invalidSecret(object, `${name}.key`, expected)
    }
    return toSigningCa({ certificate, key })
  }
  const retired = ({ certificate, until }: Retired): RetiredCa => {
    if (readCa(certificate) === undefined) {
      throw invalidSecret(object, 'previous.json', 'expected self-signed CA certificates in PEM')
    }
    return { ...toTrustedCa(certificate), until }
  }
  const crossed = (certificate: string): TrustedCa => {
    if (readCertificate(certificate)?.ca === true) return toTrustedCa(certificate)
    throw invalidSecret(object, 'crossed.json', CROSSED)
  }
  const hasNext = data['next.crt'] !== undefined || data['next.key'] !== undefined
  return {
    current: signing('current'),
    next: hasNext ? signing('next') : undefined,
    previous: (data['previous.json'] ?? []).map(retired),
    crossed: (data['crossed.json'] ?? []).map(crossed),
    renew: metadata.annotations[RENEW_ANNOTATION],
    renewed: metadata.annotations[RENEWED_ANNOTATION],
  }
}

/** The `data` of a Secret that holds the state. */
export function encodeData({ current, next, previous, crossed }: CaState): Record<string, string> {
  const texts = {
    'current.crt': current.certificate,
    'current.key': current.key,
    ...(next === undefined ? {} : { 'next.crt': next.certificate, 'next.key': next.key }),
    ...(previous.length === 0 ? {} : { 'previous.json': JSON.stringify(previous.map(toRetired)) }),
    ...(crossed.length === 0
      ? {}
      : { 'crossed.json': JSON.stringify(crossed.map(({ certificate }) => certificate)) }),
  }
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  )
}

/** The annotations of a Secret that holds the state. */
export function encodeAnnotations({ renew, renewed }: CaState): Record<string, string> {
  return {
    ...(renew === undefined ? {} : { [RENEW_ANNOTATION]: renew }),
    ...(renewed === undefined ? {} : { [RENEWED_ANNOTATION]: renewed }),
  }
}

function toRetired({ certificate, until }: RetiredCa) {
  return { certificate, until: new Date(until).toISOString() }
}

function invalidSecret(
  { metadata }: ClusterObject,
  key: string | undefined,
  expected: string,
): Error {
  const place = key === undefined ? '' : `key "${key}" of `
  const { namespace, name } = metadata ?? {}
  return new Error(`Cannot use ${place}Secret "${namespace}/${name}": ${expected}; ${REMEDY}`)
}

/** The invalid key of the Secret, and what was expected. */
function problemOf(issue: v.BaseIssue<unknown>): [string | undefined, string] {
  const key = issue.path?.[1]
  if (key === undefined) return [undefined, 'expected data']
  return [String(key.key), issue.input === undefined ? MISSING : issue.message]
}

/** A CA must be self-signed: clients cannot build a chain to a certificate that another CA has signed. */
function readCa(pem: string): X509Certificate | undefined {
  const certificate = readCertificate(pem)
  const selfSigned = certificate?.ca === true && certificate.verify(certificate.publicKey)
  return selfSigned ? certificate : undefined
}

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

function isKeyOf(certificate: X509Certificate, pem: string): boolean {
  try {
    const key = createPrivateKey(pem)
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' && certificate.checkPrivateKey(key)
  } catch {
    return false
  }
}
