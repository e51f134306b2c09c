// Whether a CA bundle can verify a server of the project. The server's own certificate is not readable through the API server: so
// the bundle is compared with the CA that signs it. Pure.
import { X509Certificate } from 'node:crypto'

/** What is wrong with a bundle; `undefined` if nothing is. */
export type BundleProblem = 'empty' | 'expired' | 'other'

/**
 * @param bundle PEM
 * @param authority PEM of the CA; `undefined` if it is not known
 */
export function problemOfBundle(
  bundle: string,
  authority: string | undefined,
  now: number,
): BundleProblem | undefined {
  const certificates = certificatesIn(bundle)
  if (certificates.length === 0) return 'empty'
  if (certificates.every(({ validTo }) => Date.parse(validTo) <= now)) return 'expired'
  if (authority === undefined) return undefined
  const known = new Set(certificatesIn(authority).map(({ fingerprint256 }) => fingerprint256))
  const isKnown = certificates.some(({ fingerprint256 }) => known.has(fingerprint256))
  return known.size === 0 || isKnown ? undefined : 'other'
}

/** What is said if nothing is wrong, and no more than was seen. */
export function fineBundle(whose: string, isCompared: boolean): string {
  const what = `the caBundle of ${whose}`
  return isCompared
    ? `${what} is of the CA of flux-metrics`
    : `${what} has a certificate that has not expired; its CA is another's, or not published, and was not compared`
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** What is no certificate is left out. */
function certificatesIn(text: string): readonly X509Certificate[] {
  return (text.match(PEM) ?? []).flatMap((pem) => {
    try {
      return [new X509Certificate(pem)]
    } catch {
      return []
    }
  })
}
