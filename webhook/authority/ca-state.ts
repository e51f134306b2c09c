// What is known of the project's CA at one time: which certificate signs, which ones are trusted. Plain values.
import { X509Certificate } from 'node:crypto'
import { type CaKeys, createCaKeys } from './certificate-authority.ts'

/** A certificate (PEM) that clients are told to trust; times in milliseconds since 1970. */
export interface TrustedCa {
  readonly certificate: string
  readonly notBefore: number
  readonly notAfter: number
}

/** One that we hold the key (PEM) of. */
export interface SigningCa extends TrustedCa {
  readonly key: string
}

/** One that signs no more: its key is gone, its last leafs are trusted until `until`. */
export interface RetiredCa extends TrustedCa {
  readonly until: number
}

/** The CA: one that signs, perhaps one about to, and those whose leafs may still be around. */
export interface CaState {
  readonly current: SigningCa
  /** Trusted already, signs nothing yet. */
  readonly next: SigningCa | undefined
  /** The oldest first. More than one if renewals are asked for in quick succession. */
  readonly previous: readonly RetiredCa[]
  /** The renewal that was asked for last (annotation `flux-metrics/renew`), any text. */
  readonly renew: string | undefined
  /** The last one that was done. */
  readonly renewed: string | undefined
}

/** Makes a CA that begins to live now. */
export async function createCa(now: number): Promise<SigningCa> {
  return toSigningCa(await createCaKeys(now))
}

/** The state of a CA just made. */
export async function createState(now: number): Promise<CaState> {
  const current = await createCa(now)
  return { current, next: undefined, previous: [], renew: undefined, renewed: undefined }
}

/** Reads the times of a certificate. @throws Error if it is none */
export function toTrustedCa(pem: string): TrustedCa {
  const certificate = new X509Certificate(pem)
  return {
    // Written anew: texts are compared, and what people edit may carry comments or other certificates.
    certificate: certificate.toString(),
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
  }
}

/** Reads the times of a certificate. @throws Error if it is none */
export function toSigningCa({ certificate, key }: CaKeys): SigningCa {
  return { ...toTrustedCa(certificate), key }
}

/**
 * PEM of all certificates to be trusted. The oldest comes first: so the text stays the same when the next one becomes
 * the current one, and replicas that learn of it at different times do not overwrite each other.
 */
export function bundleOf({ previous, current, next }: CaState): string {
  return [...previous, current, ...(next === undefined ? [] : [next])]
    .map(({ certificate }) => certificate)
    .join('')
}

/** How a CA is called in logs. */
export function describeCa({ certificate, notAfter }: TrustedCa) {
  return {
    serial: new X509Certificate(certificate).serialNumber.toLowerCase(),
    notAfter: new Date(notAfter).toISOString(),
  }
}
