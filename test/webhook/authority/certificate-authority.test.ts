import 'reflect-metadata'
import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate as NodeCertificate } from 'node:crypto'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { connect, createServer } from 'node:tls'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { serviceNames } from '#serving/certificates/certificate-names.ts'
import type { ServingKeys } from '#serving/https/tls.ts'
import {
  CA_LIFE_MS,
  createCaKeys,
  crossSign,
  HOUR_MS,
  issueLeaf,
  issueServingKeys,
  LEAF_LIFE_MS,
  type LeafRequest,
  renewalTime,
} from '../../../webhook/authority/certificate-authority.ts'

const NOW = Date.parse('2030-05-01T12:00:00Z')
const NAMES = serviceNames('a', 'flux-metrics')
const P256 = { name: 'ECDSA', namedCurve: 'P-256' }

const ca = await createCaKeys(NOW)
const { publicKey } = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
const issue = (options: Partial<LeafRequest> & { now?: number } = {}) => {
  const { names = NAMES, now = NOW, ...rest } = options
  return issueLeaf(ca, { publicKey, names, ...rest }, now)
}

function constraints(certificate: X509Certificate) {
  const extension = certificate.getExtension(BasicConstraintsExtension)
  return [extension?.ca, extension?.pathLength, extension?.critical]
}

function usages(certificate: X509Certificate) {
  const extension = certificate.getExtension(KeyUsagesExtension)
  return [extension?.usages, extension?.critical]
}

function lifeOf({ notBefore, notAfter }: X509Certificate) {
  return [notBefore.getTime() - NOW, notAfter.getTime() - NOW]
}

test('a CA may sign certificates of servers, and the next CA', () => {
  const certificate = new X509Certificate(ca.certificate)
  assert.deepEqual(constraints(certificate), [true, undefined, true])
  assert.deepEqual(usages(certificate), [KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true])
  assert.match(
    certificate.getExtension(SubjectKeyIdentifierExtension)?.keyId ?? '',
    /^[0-9a-f]{40}$/,
  )
})

test('a CA is valid for five years, from an hour ago', () => {
  assert.deepEqual(lifeOf(new X509Certificate(ca.certificate)), [-HOUR_MS, CA_LIFE_MS])
})

test('the name of a CA contains its serial number', () => {
  const certificate = new X509Certificate(ca.certificate)
  assert.equal(certificate.subject, `CN=flux-metrics CA ${certificate.serialNumber.slice(0, 8)}`)
  assert.equal(certificate.issuer, certificate.subject)
})

test('a CA is self-signed on P-256, and has its key', () => {
  const certificate = new NodeCertificate(ca.certificate)
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  assert.ok(certificate.verify(certificate.publicKey))
  assert.ok(certificate.checkPrivateKey(createPrivateKey(ca.key)))
})

test('serial numbers are 16 bytes, positive, and never the same', async () => {
  const leafs = await Promise.all(Array.from({ length: 50 }, () => issue()))
  const serials = leafs.map((pem) => new X509Certificate(pem).serialNumber)
  for (const serial of serials) assert.match(serial, /^[4-7][0-9a-f]{31}$/)
  assert.equal(new Set(serials).size, 50)
})

test('a leaf is for servers, and for exactly the requested names', async () => {
  const certificate = new X509Certificate(await issue())
  assert.deepEqual(constraints(certificate), [false, undefined, true])
  assert.deepEqual(usages(certificate), [KeyUsageFlags.digitalSignature, true])
  const serverAuth = '1.3.6.1.5.5.7.3.1'
  const { usages: extended = [] } = certificate.getExtension(ExtendedKeyUsageExtension) ?? {}
  assert.deepEqual([...extended], [serverAuth])
  assert.deepEqual(
    certificate.getExtension(SubjectAlternativeNameExtension)?.names.toJSON(),
    NAMES.map((value) => ({ type: 'dns', value })),
  )
})

test('a leaf with a name of a client is for servers and clients, and has that common name', async () => {
  const certificate = new X509Certificate(await issue({ clientName: 'gateway' }))
  const { usages: extended = [] } = certificate.getExtension(ExtendedKeyUsageExtension) ?? {}
  assert.deepEqual([...extended], ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  assert.equal(certificate.subject, 'CN=gateway')
})

test('a leaf is for the requested public key', async () => {
  const certificate = new X509Certificate(await issue())
  assert.deepEqual(
    Buffer.from(certificate.publicKey.rawData),
    Buffer.from(await crypto.subtle.exportKey('spki', publicKey)),
  )
})

test('a leaf names the key of its CA', async () => {
  const leaf = await issue()
  const { keyId } =
    new X509Certificate(leaf).getExtension(AuthorityKeyIdentifierExtension) ?? assert.fail()
  const ofCa = new X509Certificate(ca.certificate).getExtension(SubjectKeyIdentifierExtension)
  assert.equal(keyId, ofCa?.keyId)
  assert.ok(new NodeCertificate(leaf).checkIssued(new NodeCertificate(ca.certificate)))
  assert.ok(new NodeCertificate(leaf).verify(new NodeCertificate(ca.certificate).publicKey))
})

test('a leaf is valid for a day, from an hour ago', async () => {
  const now = NOW + 48 * HOUR_MS
  const [from = 0, to = 0] = lifeOf(new X509Certificate(await issue({ now })))
  assert.deepEqual([from - 48 * HOUR_MS, to - 48 * HOUR_MS], [-HOUR_MS, LEAF_LIFE_MS])
})

test('a leaf can have a shorter life, but not a longer one', async () => {
  const ends = await Promise.all(
    [HOUR_MS, 2 * LEAF_LIFE_MS].map(async (lifeMs) => {
      const [, end] = lifeOf(new X509Certificate(await issue({ lifeMs })))
      return end
    }),
  )
  assert.deepEqual(ends, [HOUR_MS, LEAF_LIFE_MS])
})

test('a leaf never outlives its CA', async () => {
  const now = NOW + CA_LIFE_MS - HOUR_MS
  const [, end] = lifeOf(new X509Certificate(await issue({ now })))
  assert.equal(end, CA_LIFE_MS)
})

test('an expired CA issues nothing', async () => {
  await assert.rejects(issue({ now: NOW + CA_LIFE_MS }), {
    message: 'Cannot issue a certificate: the CA expired at 2035-04-30T12:00:00.000Z',
  })
})

test('a certificate without names is not issued', async () => {
  await assert.rejects(issue({ names: [] }), {
    message: 'Cannot issue a certificate: expected a name, got none',
  })
})

test('a name that is too long for a common name is only in the alternative names', async () => {
  const long = `${'m'.repeat(63)}.jobs.miniclusters.flux-metrics`
  const short = 'custom-metrics-apiserver.jobs.svc'
  const subjects = await Promise.all(
    [[long], [long, short]].map(async (names) => {
      const certificate = new X509Certificate(await issue({ names }))
      assert.ok(new NodeCertificate(certificate.toString('pem')).checkHost(long))
      return certificate.subject
    }),
  )
  assert.deepEqual(subjects, ['CN=flux-metrics', `CN=${short}`])
})

test('renewalTime is at two thirds', () => {
  assert.equal(renewalTime(1000, 4000), 3000)
})

/** Connects as a client that trusts only `trusted`. @returns the code or message of the error, or `authorized` */
async function handshake(
  t: TestContext,
  options: {
    readonly trusted: string
    readonly servername: string
    readonly keys?: ServingKeys
  },
): Promise<string> {
  const { trusted, servername, keys = await issueServingKeys(present, NAMES, Date.now()) } = options
  const server = createServer(keys)
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') return assert.fail()
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect({ port: address.port, host: '127.0.0.1', ca: trusted, servername })
  t.after(() => socket.destroy())
  socket.on('secureConnect', () => resolve('authorized'))
  socket.on('error', (error) => {
    const code = 'code' in error ? String(error.code) : 'UNSPECIFIED'
    // Node.js has no code for some errors of OpenSSL.
    resolve(code === 'UNSPECIFIED' ? error.message : code)
  })
  return promise
}

const present = await createCaKeys(Date.now())
const stranger = await createCaKeys(Date.now())
const servername = 'a.flux-metrics.svc'

test('a client that trusts the CA accepts the server', async (t) => {
  assert.equal(await handshake(t, { trusted: present.certificate, servername }), 'authorized')
})

test('a client that trusts the CA among others accepts the server', async (t) => {
  const trusted = `${stranger.certificate}\n${present.certificate}`
  assert.equal(await handshake(t, { trusted, servername }), 'authorized')
})

test('a client that trusts another CA refuses the server', async (t) => {
  assert.equal(
    await handshake(t, { trusted: stranger.certificate, servername }),
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  )
})

test('a client that uses another name for the server refuses it', async (t) => {
  assert.equal(
    await handshake(t, { trusted: present.certificate, servername: 'b.flux-metrics.svc' }),
    'ERR_TLS_CERT_ALTNAME_INVALID',
  )
})

/** A leaf of our CA, as a thief of its key could issue it. */
async function leafFor(...names: readonly string[]): Promise<ServingKeys> {
  return issueServingKeys(present, names, Date.now())
}

const trusted = present.certificate

for (const name of [
  'flux-metrics-webhook.flux-metrics.svc.cluster.local',
  'custom-metrics-apiserver.hpc.svc',
  'lammps.hpc.miniclusters.flux-metrics',
]) {
  test(`a client accepts a server with the name ${name}`, async (t) => {
    const keys = await leafFor(name)
    assert.equal(await handshake(t, { trusted, servername: name, keys }), 'authorized')
  })
}

for (const name of [
  'example.com',
  'kubernetes.default',
  'notsvc',
  'miniclusters.flux-metrics.org',
]) {
  test(`no client accepts a certificate of the CA for ${name}`, async (t) => {
    const keys = await leafFor(name)
    const code = await handshake(t, { trusted, servername: name, keys })
    assert.equal(code, 'permitted subtree violation')
  })
}

test('no client accepts a certificate of the CA for an address', async (t) => {
  for (const address of ['192.0.2.1', '2001:db8::1']) {
    const keys = await withAddress(address)
    assert.equal(await handshake(t, { trusted, servername, keys }), 'excluded subtree violation')
  }
})

/** A leaf with a good name and an address, which the authority itself never issues. */
async function withAddress(address: string): Promise<ServingKeys> {
  const keys = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const signing = createPrivateKey(present.key).export({ type: 'pkcs8', format: 'der' })
  const algorithm = { ...P256, hash: 'SHA-256' }
  const certificate = await X509CertificateGenerator.create({
    subject: 'CN=thief',
    issuer: new X509Certificate(present.certificate).subjectName,
    publicKey: keys.publicKey,
    signingKey: await crypto.subtle.importKey('pkcs8', signing, P256, false, ['sign']),
    signingAlgorithm: algorithm,
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: 'dns', value: servername },
        { type: 'ip', value: address },
      ]),
    ],
  })
  const key = PemConverter.encode(
    await crypto.subtle.exportKey('pkcs8', keys.privateKey),
    'PRIVATE KEY',
  )
  return { cert: certificate.toString('pem'), key }
}

test('crossSign certifies the newer CA by the older one, for as long as both are valid', async () => {
  const newer = await createCaKeys(NOW + 48 * HOUR_MS)
  const cross = new X509Certificate(await crossSign(ca, newer.certificate))
  const [issuer, subject] = [ca, newer].map(({ certificate }) => new X509Certificate(certificate))
  assert.deepEqual([cross.issuer, cross.subject], [issuer?.subject, subject?.subject])
  assert.ok(subject !== undefined && cross.publicKey.equal(subject.publicKey))
  assert.deepEqual(constraints(cross), [true, undefined, true])
  assert.deepEqual(lifeOf(cross), [47 * HOUR_MS, CA_LIFE_MS])
  assert.notEqual(cross.serialNumber, subject?.serialNumber)
})

test('a client that trusts only the first of three CAs accepts a server of the last', async (t) => {
  const [second, third] = [await createCaKeys(Date.now()), await createCaKeys(Date.now())]
  const crossed = [
    await crossSign(second, third.certificate),
    await crossSign(present, second.certificate),
  ]
  const leaf = await issueServingKeys(third, NAMES, Date.now())
  const cert = [leaf.cert, ...crossed].join('\n')
  const keys = { cert, key: leaf.key }
  assert.equal(await handshake(t, { trusted, servername, keys }), 'authorized')
  const [one = ''] = crossed
  const cut = { cert: [leaf.cert, one].join('\n'), key: leaf.key }
  assert.notEqual(await handshake(t, { trusted, servername, keys: cut }), 'authorized')
})
