// Authenticates the clients of an HTTPS server by their certificates: the chain, which TLS has verified, the usage, the
// common name and the end. Which clients those are, and what they may do, is the caller's.

import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** Extended key usage `clientAuth` (RFC 5280 §4.2.1.12). */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

/** Whether the client of a connection is one of those that are expected. */
export type Verdict =
  | { readonly kind: 'verified'; readonly name: string }
  | { readonly kind: 'refused'; readonly reason: string }

interface Judgement {
  readonly verdict: Verdict
  /** Milliseconds since the epoch. */
  readonly until: number
}

const EXPIRED: Verdict = {
  kind: 'refused',
  reason: 'its certificate has expired (CERT_HAS_EXPIRED)',
}

/** Verifies connections. The certificate of each is checked once, and the verdict ends when the certificate expires. */
export interface ClientVerifier {
  verify(socket: Socket): Verdict
}

/** Words for refusals. */
export interface VerifierWords {
  /** Who issues the certificates of the expected clients, as in `the front proxy's authority`. */
  readonly authority: string
  /** What a client without a certificate should do. */
  readonly hint: string
}

/**
 * Creates a verifier.
 *
 * @param allowedNames returns the common names that are accepted now (`requestheader-allowed-names`); an empty list
 *   accepts any name
 */
export function createClientVerifier(
  allowedNames: () => readonly string[],
  words: VerifierWords,
): ClientVerifier {
  const judgements = new WeakMap<Socket, Judgement>()
  return {
    verify(socket) {
      let judgement = judgements.get(socket)
      if (judgement === undefined) {
        judgement = judge(socket, words)
        judgements.set(socket, judgement)
      }
      // API servers keep connections for hours, and TLS checks the dates only in the handshake.
      if (Date.now() > judgement.until) return EXPIRED
      const { verdict } = judgement
      return verdict.kind === 'refused' ? verdict : allow(verdict, allowedNames())
    },
  }
}

function allow(verified: Verdict & { kind: 'verified' }, names: readonly string[]): Verdict {
  const { name } = verified
  if (names.length === 0 || names.includes(name)) return verified
  return { kind: 'refused', reason: `the name "${name}" is not one of the allowed names` }
}

function judge(socket: Socket, { authority, hint }: VerifierWords): Judgement {
  if (!(socket instanceof TLSSocket)) return refused('the connection is not encrypted')
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return refused(`it sent no certificate; ${hint}`)
  // Node has verified the dates and the chain up to the authority.
  if (!socket.authorized) {
    return refused(`its certificate was not issued by ${authority} (${socket.authorizationError})`)
  }
  if (!extendedKeyUsages(certificate).includes(CLIENT_AUTH)) {
    return refused('its certificate is not for client authentication')
  }
  const name = commonName(certificate)
  if (name === undefined) return refused('its certificate has no common name')
  return { verdict: { kind: 'verified', name }, until: certificate.validToDate.getTime() }
}

function refused(reason: string): Judgement {
  return { verdict: { kind: 'refused', reason }, until: Number.POSITIVE_INFINITY }
}

/** Despite its name, `keyUsage` holds the OIDs of the extended key usages; it is undefined without the extension. */
function extendedKeyUsages({ keyUsage }: X509Certificate): readonly string[] {
  return keyUsage ?? []
}

/** The common name of the subject, if it has exactly one. */
function commonName(certificate: X509Certificate): string | undefined {
  const { CN } = certificate.toLegacyObject().subject
  return typeof CN === 'string' ? CN : undefined
}
