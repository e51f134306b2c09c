import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyPairKeyObjectResult, sign } from 'node:crypto'
import { test } from 'node:test'
import { parseCertificateRequest } from '../../../webhook/identities/certificate-request.ts'
import {
  bytesOf,
  createRequest,
  dns,
  ED25519,
  forge,
  P384,
  type RequestOptions,
  rsa,
  toPem,
} from '../../support/certificate-requests.ts'

/** The parsed request, with whether its key was accepted instead of the key. */
async function read(options: RequestOptions = {}) {
  const { publicKey, ...rest } = await parseCertificateRequest(await createRequest(options))
  return { ...rest, certifiable: publicKey !== undefined }
}

/** One DER element (X.690 §8.1). */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const header = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(header), content])
}

const SEQUENCE = 0x30
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex')

function ec(namedCurve: string, paramEncoding: 'named' | 'explicit' = 'named') {
  return generateKeyPairSync('ec', { namedCurve, paramEncoding })
}

function dsa() {
  return generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })
}

function spkiOf({ publicKey }: KeyPairKeyObjectResult): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' })
}

/** A request without names for any key that node:crypto can make, signed by another one. */
function requestFor(spki: Buffer, signer = 'prime256v1'): string {
  const info = der(SEQUENCE, Buffer.from('020100', 'hex'), der(SEQUENCE), spki, der(0xa0))
  const signature = sign('sha256', info, ec(signer).privateKey)
  const bits = der(0x03, Buffer.from([0]), signature)
  return toPem(der(SEQUENCE, info, ECDSA_WITH_SHA256, bits))
}

test('parseCertificateRequest reads the requested names by their types', async () => {
  const names = [
    ...dns('a.hpc.svc', 'b.hpc.svc'),
    { type: 'ip', value: '10.0.0.1' },
    { type: 'email', value: 'root@hpc.example' },
    { type: 'url', value: 'spiffe://hpc/a' },
    { type: 'dn', value: 'CN=a' },
  ] as const
  assert.deepEqual(await read({ names }), {
    keyKind: 'P-256',
    certifiable: true,
    dnsNames: ['a.hpc.svc', 'b.hpc.svc'],
    otherNames: ['ip:10.0.0.1', 'email:root@hpc.example', 'url:spiffe://hpc/a', 'dn:CN=a'],
  })
})

test('parseCertificateRequest counts the common name as a requested name', async () => {
  const { dnsNames } = await read({ names: dns('a.hpc.svc'), commonName: 'b.hpc.svc' })
  assert.deepEqual(dnsNames, ['a.hpc.svc', 'b.hpc.svc'])
})

test('parseCertificateRequest reads a request without names', async () => {
  assert.deepEqual(await read(), {
    keyKind: 'P-256',
    certifiable: true,
    dnsNames: [],
    otherNames: [],
  })
})

test('parseCertificateRequest does not change names', async () => {
  const written = ['A.hpc.svc', 'a.hpc.svc.', '*.hpc.svc', '']
  assert.deepEqual((await read({ names: dns(...written) })).dnsNames, written)
})

test('parseCertificateRequest returns the key of the request', async () => {
  const pem = await createRequest()
  const { publicKey } = await parseCertificateRequest(pem)
  assert.ok(publicKey)
  assert.deepEqual(
    [publicKey.type, publicKey.algorithm, publicKey.usages],
    ['public', { name: 'ECDSA', namedCurve: 'P-256' }, ['verify']],
  )
  const spki = Buffer.from(await crypto.subtle.exportKey('spki', publicKey))
  assert.ok(Buffer.from(bytesOf(pem)).includes(spki))
})

const WEAK: readonly [kind: string, options: RequestOptions][] = [
  ['RSASSA-PKCS1-v1_5 of 1024 bits', { algorithm: rsa(1024) }],
  ['RSASSA-PKCS1-v1_5 of 2048 bits', { algorithm: rsa(2048) }],
  ['ECDSA on P-384', { algorithm: P384 }],
  ['Ed25519', { algorithm: ED25519 }],
]

for (const [kind, options] of WEAK) {
  test(`parseCertificateRequest names the kind of a key that is not on P-256: ${kind}`, async () => {
    assert.deepEqual(await read({ ...options, names: dns('a.hpc.svc') }), {
      keyKind: kind,
      certifiable: false,
      dnsNames: [],
      otherNames: [],
    })
  })
}

const UNKNOWN: readonly [what: string, kind: string, keys: () => KeyPairKeyObjectResult][] = [
  ['DSA', '1.2.840.10040.4.1', dsa],
  ['X25519', 'X25519', () => generateKeyPairSync('x25519')],
  ['a smaller curve', '1.2.840.10045.2.1', () => ec('secp224r1')],
  ["a curve of Bitcoin's", 'ECDSA on K-256', () => ec('secp256k1')],
  ['a curve that is spelt out', '1.2.840.10045.2.1', () => ec('prime256v1', 'explicit')],
]

for (const [what, kind, generate] of UNKNOWN) {
  test(`parseCertificateRequest refuses a key that the library cannot use: ${what}`, async () => {
    const { publicKey, keyKind } = await parseCertificateRequest(requestFor(spkiOf(generate())))
    assert.deepEqual([publicKey, keyKind], [undefined, kind])
  })
}

test('parseCertificateRequest refuses a signature that was changed', async () => {
  await assert.rejects(parseCertificateRequest(forge(await createRequest())), {
    message: 'expected it to be signed with its own key',
  })
})

test('parseCertificateRequest refuses a request that another key has signed', async () => {
  const spki = spkiOf(ec('prime256v1'))
  for (const curve of ['prime256v1', 'secp384r1']) {
    await assert.rejects(parseCertificateRequest(requestFor(spki, curve)), {
      message: 'expected it to be signed with its own key',
    })
  }
})

test('parseCertificateRequest refuses a point that is not on the curve', async () => {
  const spki = spkiOf(ec('prime256v1'))
  spki.fill(1, spki.length - 8)
  await assert.rejects(parseCertificateRequest(requestFor(spki)), {
    message: 'expected it to be signed with its own key',
  })
})

const NO_REQUESTS: readonly [what: string, text: string][] = [
  ['nothing', ''],
  ['a word', 'certificate'],
  ['base64 of something else', 'AAAA'],
  ['PEM of something else', toPem(Buffer.from('AAAA'))],
]

for (const [what, text] of NO_REQUESTS) {
  test(`parseCertificateRequest refuses ${what}`, async () => {
    await assert.rejects(parseCertificateRequest(text), {
      message: 'expected a certificate signing request in PEM',
    })
  })
}

test('parseCertificateRequest refuses an invalid RSA key', async () => {
  const rsaEncryption = der(SEQUENCE, Buffer.from('06092a864886f70d0101010500', 'hex'))
  const spki = der(SEQUENCE, rsaEncryption, Buffer.from('0303000101', 'hex'))
  await assert.rejects(parseCertificateRequest(requestFor(spki)), {
    message: 'expected a certificate signing request in PEM',
  })
})

test('parseCertificateRequest refuses a private key, and does not quote it', async () => {
  const pem = ec('prime256v1').privateKey.export({ type: 'pkcs8', format: 'pem' })
  await assert.rejects(parseCertificateRequest(pem.toString()), {
    message: 'expected a certificate signing request in PEM',
  })
})

test('parseCertificateRequest refuses a request that was cut anywhere', async () => {
  const bytes = bytesOf(await createRequest())
  for (let end = 0; end < bytes.length; end += 1) {
    await assert.rejects(parseCertificateRequest(toPem(bytes.subarray(0, end))), Error)
  }
})
