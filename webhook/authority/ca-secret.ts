// The CA's state as a Secret's content, and back. What is wrong with a Secret is said by key, never with its content.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import * as v from 'valibot'
import type { ClusterObject } from '../kubernetes/cluster.ts'
import {
  type CaState,
  type RetiredCa,
  type SigningCa,
  toSigningCa,
  toTrustedCa,
} from './ca-state.ts'

/** Set by people, to any text that it was not before: renews the CA now. */
export const RENEW_ANNOTATION = 'flux-metrics/renew'
/** Set by us: the renewal that was done last. */
export const RENEWED_ANNOTATION = 'flux-metrics/renewed'

const MISSING = 'expected it, found none'
const WAY_OUT = 'correct the Secret, or delete it and a new CA is made'

/** Messages are our own: the library's quote what they got, which here may be a key. */
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
  }),
})

/**
 * Reads and checks a Secret's content; expired certificates are no fault.
 *
 * @throws Error naming the Secret, the key and what was expected of it
 */
export function decodeSecret(object: ClusterObject): CaState {
  const parsed = v.safeParse(SECRET, object)
  if (!parsed.success) throw refusal(object, ...faultOf(parsed.issues[0]))
  const { data, metadata } = parsed.output
  const signing = (name: 'current' | 'next'): SigningCa => {
    const certificate = data[`${name}.crt`]
    const key = data[`${name}.key`]
    if (certificate === undefined) throw refusal(object, `${name}.crt`, MISSING)
    if (key === undefined) throw refusal(object, `${name}.key`, MISSING)
    const parsedCertificate = readCa(certificate)
    if (parsedCertificate === undefined) {
      throw refusal(object, `${name}.crt`, 'expected a self-signed CA certificate in PEM')
    }
    if (!isKeyOf(parsedCertificate, key)) {
      throw refusal(object, `${name}.key`, `expected the P-256 private key of "${name}.crt" in PEM`)
    }
    return toSigningCa({ certificate, key })
  }
  const retired = ({ certificate, until }: Retired): RetiredCa => {
    if (readCa(certificate) === undefined) {
      throw refusal(object, 'previous.json', 'expected self-signed CA certificates in PEM')
    }
    return { ...toTrustedCa(certificate), until }
  }
  const hasNext = data['next.crt'] !== undefined || data['next.key'] !== undefined
  return {
    current: signing('current'),
    next: hasNext ? signing('next') : undefined,
    previous: (data['previous.json'] ?? []).map(retired),
    renew: metadata.annotations[RENEW_ANNOTATION],
    renewed: metadata.annotations[RENEWED_ANNOTATION],
  }
}

/** The `data` of a Secret that holds the state. */
export function encodeData({ current, next, previous }: CaState): Record<string, string> {
  const texts = {
    'current.crt': current.certificate,
    'current.key': current.key,
    ...(next === undefined ? {} : { 'next.crt': next.certificate, 'next.key': next.key }),
    ...(previous.length === 0 ? {} : { 'previous.json': JSON.stringify(previous.map(toRetired)) }),
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

function refusal({ metadata }: ClusterObject, key: string | undefined, expected: string): Error {
  const place = key === undefined ? '' : `key "${key}" of `
  const { namespace, name } = metadata ?? {}
  return new Error(`Cannot use ${place}Secret "${namespace}/${name}": ${expected}; ${WAY_OUT}`)
}

/** Which key of the Secret is at fault, and what was expected of it. */
function faultOf(issue: v.BaseIssue<unknown>): [string | undefined, string] {
  const key = issue.path?.[1]
  if (key === undefined) return [undefined, 'expected data']
  return [String(key.key), issue.input === undefined ? MISSING : issue.message]
}

/** Clients find no chain to a certificate that another CA has signed. */
function readCa(pem: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(pem)
    const selfSigned = certificate.ca && certificate.verify(certificate.publicKey)
    return selfSigned ? certificate : undefined
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
