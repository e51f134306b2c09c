import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import 'reflect-metadata'
import {
  BasicConstraintsExtension,
  X509Certificate as Certificate,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
} from '@peculiar/x509'
import { createSelfSigned } from '#serving/https/self-signed.ts'

test('createSelfSigned creates a certificate for the names, and its key', () => {
  const { cert, key } = createSelfSigned(['metrics.default.svc', 'metrics.default'])
  const certificate = new X509Certificate(cert)
  assert.equal(
    certificate.subjectAltName,
    'DNS:metrics.default.svc, DNS:metrics.default, DNS:localhost, IP Address:127.0.0.1',
  )
  assert.ok(certificate.checkPrivateKey(createPrivateKey(key)))
  assert.ok(certificate.validFromDate.getTime() < Date.now() - 3_000_000)
  assert.equal(certificate.ca, false)
})

test('createSelfSigned signs with its own key, for TLS servers only, and with another serial number each time', () => {
  const certificate = new X509Certificate(createSelfSigned(['metrics.default.svc']).cert)
  assert.ok(certificate.verify(certificate.publicKey))
  assert.equal(certificate.subject, 'CN=metrics.default.svc')
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  assert.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/)
  const other = new X509Certificate(createSelfSigned(['metrics.default.svc']).cert)
  assert.notEqual(certificate.serialNumber, other.serialNumber)
})

test('the X.509 library reads the same extensions from it, two of them critical', () => {
  const { extensions } = new Certificate(createSelfSigned(['metrics.default.svc']).cert)
  const [constraints, usage, extended, names] = extensions
  assert.ok(constraints instanceof BasicConstraintsExtension && usage instanceof KeyUsagesExtension)
  assert.ok(extended instanceof ExtendedKeyUsageExtension)
  assert.ok(names instanceof SubjectAlternativeNameExtension)
  assert.deepEqual([constraints.ca, constraints.critical], [false, true])
  assert.deepEqual([usage.usages, usage.critical], [KeyUsageFlags.digitalSignature, true])
})

test('a client that trusts it as CA connects by any of its names', async () => {
  const { cert, key } = createSelfSigned(['metrics.default.svc'])
  const server = createServer({ cert, key }, (socket) => socket.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  for (const servername of ['metrics.default.svc', 'localhost']) {
    const socket = connect({ port: address.port, host: '127.0.0.1', servername, ca: cert })
    await once(socket, 'secureConnect')
    assert.ok(socket.authorized)
    socket.destroy()
  }
  server.close()
})
