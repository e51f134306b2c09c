// The state of the project's CA at one time: the certificate that signs, and those that are trusted. Plain values; how
// they change is in rotation.ts.
import { X509Certificate } from 'node:crypto'
import { type CaKeys, createCaKeys } from './certificate-authority.ts'

/** A CA certificate (PEM) that clients are to trust; times in milliseconds since 1970. */
export interface TrustedCa {
  readonly certificate: string
  readonly notBefore: number
  readonly notAfter: number
}

/** A CA whose key (PEM) the webhook has. */
export interface SigningCa extends TrustedCa {
  readonly key: string
}

/** A CA that no longer signs: its key is deleted. It is trusted until `until`, when its last leaf has expired. */
export interface RetiredCa extends TrustedCa {
  readonly until: number
}

/** The CA: the one that signs, the next one if a rotation is under way, and those whose leafs may still be valid. */
export interface CaState {
  readonly current: SigningCa
  /** Already trusted, but does not sign yet. */
  readonly next: SigningCa | undefined
  /** The oldest first. There is more than one after several renewals within a day. */
  readonly previous: readonly RetiredCa[]
  /**
   * Each CA as the one before it has signed it, the oldest first. A client that knows only an old CA finds its way along them
   * to the current one.
   */
  readonly crossed: readonly TrustedCa[]
  /** The last renewal that was asked for (annotation `flux-metrics/renew`), any text. */
  readonly renew: string | undefined
  /** The last renewal that was done. */
  readonly renewed: string | undefined
}

/** Creates a CA that is valid from now on. */
export async function createCa(now: number): Promise<SigningCa> {
  return toSigningCa(await createCaKeys(now))
}

/** Creates a CA and its state. */
export async function createState(now: number): Promise<CaState> {
  const current = await createCa(now)
  const renewals = { renew: undefined, renewed: undefined }
  return { current, next: undefined, previous: [], crossed: [], ...renewals }
}

/** Reads the times of a certificate. @throws Error if it is not a certificate */
export function toTrustedCa(pem: string): TrustedCa {
  const certificate = new X509Certificate(pem)
  return {
    // Normalized, because texts are compared: a text that a person edited may have comments or more certificates.
    certificate: certificate.toString(),
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
  }
}

/** Reads the times of a certificate. @throws Error if it is not a certificate */
export function toSigningCa({ certificate, key }: CaKeys): SigningCa {
  return { ...toTrustedCa(certificate), key }
}

/**
 * PEM of all certificates to trust, the oldest first. With this order the text stays the same when the next CA becomes the
 * current one, so replicas that see the switch at different times do not overwrite each other's bundle.
 */
export function bundleOf({ previous, current, next }: CaState): string {
  return [...previous, current, ...(next === undefined ? [] : [next])]
    .map(({ certificate }) => certificate)
    .join('')
}

/** A leaf of the current CA (PEM), and after it the certificates that lead from there to the oldest CA. They are not for trusting. */
export function withChain(leaf: string, { crossed }: CaState, now: number): string {
  const chain = crossed.filter(({ notAfter }) => notAfter > now).toReversed()
  return [`${leaf.trimEnd()}\n`, ...chain.map(({ certificate }) => certificate)].join('')
}

/** The fields that identify a CA in logs. */
export function describeCa({ certificate, notAfter }: TrustedCa) {
  return {
    serial: new X509Certificate(certificate).serialNumber.toLowerCase(),
    notAfter: new Date(notAfter).toISOString(),
  }
}
