// A certificate for those who gave none: good for a first try with `curl -k`, not for a cluster.

import { loadX509 } from '../x509.ts'
import type { ServingKeys } from './tls.ts'

const HOUR_MS = 3_600_000
const YEAR_MS = 365 * 24 * HOUR_MS

/**
 * Makes a P-256 key and a self-signed certificate, in memory only.
 *
 * @param names DNS names of the server; `localhost` and 127.0.0.1 are added
 */
export async function createSelfSigned(names: readonly string[]): Promise<ServingKeys> {
  const x509 = await loadX509()
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const now = Date.now()
  const dns = [...names, 'localhost'].map((value) => ({ type: 'dns' as const, value }))
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [names[0] ?? 'localhost'] }],
    // An hour early: clocks in a cluster differ.
    notBefore: new Date(now - HOUR_MS),
    notAfter: new Date(now + YEAR_MS),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([...dns, { type: 'ip', value: '127.0.0.1' }]),
    ],
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') }
}
