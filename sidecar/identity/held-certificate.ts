// The certificate that an identity has: checks what the authority issued, and knows when it is to be renewed. Asks nobody:
// identity.ts does.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { certificatesIn } from '#serving/https/tls.ts'

/** A certificate and its key (PEM); times in milliseconds since 1970. */
export interface HeldCertificate {
  readonly cert: string
  readonly key: string
  /** From when until when clients accept it. */
  readonly start: number
  readonly end: number
  readonly renewAt: number
}

/** @throws Error if the certificate is missing, expired or for another key */
export function holdCertificate(
  cert: string | undefined,
  key: string,
  now: number,
): HeldCertificate {
  if (cert === undefined) throw new Error('the authority issued no certificate')
  const parsed = new X509Certificate(cert)
  if (!parsed.checkPrivateKey(createPrivateKey(key))) {
    throw new Error('the authority issued a certificate for another key')
  }
  const [start, end] = [parsed.validFromDate.getTime(), parsed.validToDate.getTime()]
  if (end <= now) throw new Error('the authority issued a certificate that has expired')
  return { cert, key, start, end, renewAt: now + ((end - now) * 2) / 3 }
}

/**
 * Such a certificate is used nevertheless, because it is not known whose clock is wrong. Each time that the CAs are asked for,
 * another certificate is too.
 */
export function isNotYetValid(held: HeldCertificate | undefined, now: number): boolean {
  return held !== undefined && now < held.start
}

/**
 * Whether one of these CAs (PEM) has issued it. A CA goes before its last certificate has expired if the webhook's clock was
 * wrong when another one followed.
 */
export function isIssuedBy(ca: string, { cert }: HeldCertificate): boolean {
  const certificate = new X509Certificate(cert)
  return certificatesIn(ca).some((one) => certificate.verify(one.publicKey))
}

export function timeOf({ end }: HeldCertificate): string {
  return new Date(end).toISOString()
}
