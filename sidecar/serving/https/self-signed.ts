// A self-signed serving certificate, for a sidecar that is configured without one: for a first try with `curl -k`, not for
// a cluster.

import { generateKeys, loadX509, P256, toPem } from '../x509.ts'
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
  const keys = await generateKeys()
  const now = Date.now()
  const dns = [...names, 'localhost'].map((value) => ({ type: 'dns' as const, value }))
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [names[0] ?? 'localhost'] }],
    // Valid from an hour ago: clocks in a cluster differ.
    notBefore: new Date(now - HOUR_MS),
    notAfter: new Date(now + YEAR_MS),
    keys,
    signingAlgorithm: P256,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([...dns, { type: 'ip', value: '127.0.0.1' }]),
    ],
  })
  return { cert: certificate.toString('pem'), key: await toPem(keys.privateKey) }
}
