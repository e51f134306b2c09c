import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { createSelfSigned } from '#serving/https/self-signed.ts'

test('createSelfSigned creates a certificate for the names, and its key', async () => {
  const { cert, key } = await createSelfSigned(['metrics.default.svc', 'metrics.default'])
  const certificate = new X509Certificate(cert)
  assert.equal(
    certificate.subjectAltName,
    'DNS:metrics.default.svc, DNS:metrics.default, DNS:localhost, IP Address:127.0.0.1',
  )
  assert.ok(certificate.checkPrivateKey(createPrivateKey(key)))
  assert.ok(certificate.validFromDate.getTime() < Date.now() - 3_000_000)
  assert.equal(certificate.ca, false)
})
