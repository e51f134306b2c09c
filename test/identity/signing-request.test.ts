import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import { createKeyAndRequest } from '#identity/signing-request.ts'
import { parseCertificateRequest } from '../../webhook/identities/certificate-request.ts'

const NAMES = ['custom-metrics-apiserver.hpc.svc', 'lammps.hpc.miniclusters.flux-metrics']

test('createKeyAndRequest asks for exactly the names', async () => {
  const { csr } = createKeyAndRequest(NAMES)
  const { publicKey, ...request } = await parseCertificateRequest(csr)
  assert.deepEqual(request, { keyKind: 'P-256', dnsNames: NAMES, otherNames: [] })
})

test('createKeyAndRequest returns the key of the request in PEM', async () => {
  const { key, csr } = createKeyAndRequest(NAMES)
  assert.match(key, /^-----BEGIN PRIVATE KEY-----\n/)
  const { publicKey } = await parseCertificateRequest(csr)
  assert.ok(publicKey)
  const ofKey = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' })
  assert.deepEqual(ofKey, Buffer.from(await crypto.subtle.exportKey('spki', publicKey)))
})

test('createKeyAndRequest keeps the key out of the request', () => {
  const { key, csr } = createKeyAndRequest(NAMES)
  const { d = '' } = createPrivateKey(key).export({ format: 'jwk' })
  const secret = Buffer.from(d, 'base64url')
  assert.equal(secret.length, 32)
  const [, base64 = ''] = /-----\n([^-]+)-----/.exec(csr) ?? []
  assert.ok(!Buffer.from(base64, 'base64').includes(secret))
})

test('createKeyAndRequest creates another key each time', () => {
  const [one, other] = [createKeyAndRequest(NAMES), createKeyAndRequest(NAMES)]
  assert.notEqual(one.key, other.key)
  assert.notEqual(one.csr, other.csr)
})

test('createKeyAndRequest asks for names of any total length', async () => {
  const names = Array.from({ length: 300 }, (_, index) => `${'a'.repeat(index)}.hpc.svc`)
  for (const count of [0, 1, 4, 12, 300]) {
    const { csr } = createKeyAndRequest(names.slice(0, count))
    const { dnsNames } = await parseCertificateRequest(csr)
    assert.deepEqual(dnsNames, names.slice(0, count))
  }
})
