import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createSelfSigned } from '#serving/https/self-signed.ts'
import {
  decodeSecret,
  encodeAnnotations,
  encodeData,
} from '../../../webhook/authority/ca-secret.ts'
import {
  type CaState,
  createCa,
  createState,
  toTrustedCa,
} from '../../../webhook/authority/ca-state.ts'
import { crossSign } from '../../../webhook/authority/certificate-authority.ts'
import { createAuthority } from '../../support/certificates.ts'

const NOW = Date.parse('2030-05-01T12:00:00Z')
const REMEDY = 'correct the Secret, or delete it to have a new CA created'

const plain = await createState(NOW)
const older = await createCa(NOW - 1_000_000)
const { key: _key, ...retired } = older
const full: CaState = {
  current: plain.current,
  next: await createCa(NOW + 1_000_000),
  previous: [{ ...retired, until: NOW + 123_456 }],
  crossed: [toTrustedCa(await crossSign(plain.current, older.certificate))],
  renew: 'now',
  renewed: 'yesterday',
}

function secret(data: Record<string, string> | undefined, state: CaState = plain) {
  const metadata = { namespace: 'ns', name: 'ca', annotations: encodeAnnotations(state) }
  return { apiVersion: 'v1', kind: 'Secret', metadata, ...(data === undefined ? {} : { data }) }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

test('decodeSecret reads what encodeData and encodeAnnotations wrote', () => {
  for (const state of [plain, full]) {
    assert.deepEqual(decodeSecret(secret(encodeData(state), state)), state)
  }
})

test('decodeSecret accepts an expired CA', async () => {
  const expired = await createState(Date.parse('2001-01-01T00:00:00Z'))
  assert.deepEqual(decodeSecret(secret(encodeData(expired))), expired)
})

test('decodeSecret reads one certificate from a text with comments and other certificates', () => {
  const certificate = `# mine\n${plain.current.certificate}\n${retired.certificate}`
  const data = { ...encodeData(plain), 'current.crt': base64(certificate) }
  assert.deepEqual(decodeSecret(secret(data)), plain)
})

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const leaf = createSelfSigned(['localhost'])
const signedByOther = await (await createAuthority('other')).issue({ commonName: 'leaf' })
const good = encodeData(full)
const { 'current.crt': _crt, ...withoutCertificate } = good
const { 'current.key': _currentKey, ...withoutKey } = good
const { 'next.key': _nextKey, ...withoutNextKey } = good
const { 'next.crt': _nextCrt, ...withoutNextCertificate } = good

const NO_CERTIFICATE = 'expected a self-signed CA certificate in PEM'
const NO_TIMES = 'expected a list of certificates with the time until when each is trusted'
const NO_CROSSED = 'expected a list of CA certificates in PEM'
const times = (certificate: string, until: string) =>
  base64(JSON.stringify([{ certificate, until }]))

const broken: readonly {
  readonly what: string
  readonly data: Record<string, string> | undefined
  readonly at?: string
  readonly expected: string
}[] = [
  { what: 'no data', data: undefined, expected: 'expected data' },
  { what: 'data of something else', data: { password: 'aGVsbG8=' }, ...missing('current.crt') },
  { what: 'no certificate', data: withoutCertificate, ...missing('current.crt') },
  { what: 'no key', data: withoutKey, ...missing('current.key') },
  { what: 'no key of the next CA', data: withoutNextKey, ...missing('next.key') },
  { what: 'a key without the next CA', data: withoutNextCertificate, ...missing('next.crt') },
  {
    what: 'text that is no base64',
    data: { ...good, 'current.crt': '%%%' },
    at: 'current.crt',
    expected: 'expected a certificate in PEM in base64',
  },
  {
    what: 'a key that is no base64',
    data: { ...good, 'current.key': plain.current.key },
    at: 'current.key',
    expected: 'expected a private key in PEM in base64',
  },
  {
    what: 'garbage for a certificate',
    data: { ...good, 'current.crt': base64('garbage') },
    at: 'current.crt',
    expected: NO_CERTIFICATE,
  },
  {
    what: 'a certificate that is no CA',
    data: { ...good, 'current.crt': base64(leaf.cert), 'current.key': base64(leaf.key) },
    at: 'current.crt',
    expected: NO_CERTIFICATE,
  },
  {
    what: 'a certificate that another CA has signed',
    data: { ...good, 'next.crt': base64(signedByOther.cert) },
    at: 'next.crt',
    expected: NO_CERTIFICATE,
  },
  {
    what: 'garbage for a key',
    data: { ...good, 'current.key': base64('garbage') },
    at: 'current.key',
    expected: 'expected the P-256 private key of "current.crt" in PEM',
  },
  {
    what: 'the key of another CA',
    data: { ...good, 'current.key': good['next.key'] ?? '' },
    at: 'current.key',
    expected: 'expected the P-256 private key of "current.crt" in PEM',
  },
  {
    what: 'a key of another kind',
    data: { ...good, 'next.key': base64(String(rsa.export({ type: 'pkcs8', format: 'pem' }))) },
    at: 'next.key',
    expected: 'expected the P-256 private key of "next.crt" in PEM',
  },
  {
    what: 'previous certificates that are no JSON',
    data: { ...good, 'previous.json': base64('[{') },
    at: 'previous.json',
    expected: NO_TIMES,
  },
  {
    what: 'previous certificates that are no list',
    data: { ...good, 'previous.json': base64('{}') },
    at: 'previous.json',
    expected: NO_TIMES,
  },
  {
    what: 'a previous certificate without a time',
    data: { ...good, 'previous.json': times(retired.certificate, 'soon') },
    at: 'previous.json',
    expected: NO_TIMES,
  },
  {
    what: 'a previous certificate that is none',
    data: { ...good, 'previous.json': times('garbage', '2030-05-02T00:00:00.000Z') },
    at: 'previous.json',
    expected: 'expected self-signed CA certificates in PEM',
  },
  {
    what: 'cross-certificates that are no JSON',
    data: { ...good, 'crossed.json': base64('[') },
    at: 'crossed.json',
    expected: NO_CROSSED,
  },
  {
    what: 'cross-certificates that are no list of texts',
    data: { ...good, 'crossed.json': base64('[1]') },
    at: 'crossed.json',
    expected: NO_CROSSED,
  },
  {
    what: 'a cross-certificate that is none of a CA',
    data: { ...good, 'crossed.json': base64(JSON.stringify([leaf.cert])) },
    at: 'crossed.json',
    expected: NO_CROSSED,
  },
]

function missing(at: string) {
  return { at, expected: 'expected a value, found none' }
}

for (const { what, data, at, expected } of broken) {
  test(`decodeSecret refuses ${what}`, () => {
    const place = at === undefined ? '' : `key "${at}" of `
    assert.throws(() => decodeSecret(secret(data, full)), {
      message: `Cannot use ${place}Secret "ns/ca": ${expected}; ${REMEDY}`,
    })
  })
}

test('encodeData leaves out parts that do not exist', () => {
  assert.deepEqual(Object.keys(encodeData(plain)), ['current.crt', 'current.key'])
  assert.deepEqual(Object.keys(encodeData(full)), [
    'current.crt',
    'current.key',
    'next.crt',
    'next.key',
    'previous.json',
    'crossed.json',
  ])
})
