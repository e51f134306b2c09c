// Authenticates the front proxy, kube-apiserver's aggregator, by its client certificate. The aggregator has authenticated
// and authorized the user, whom it names in X-Remote-* headers; these headers are not read here.

import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Middleware } from 'koa'
import { unauthorized } from '#serving/status.ts'

/** Extended key usage `clientAuth` (RFC 5280 §4.2.1.12). */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

/** Whether the client of a connection is the front proxy. */
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

/**
 * Creates a verifier.
 *
 * @param allowedNames returns the common names that are accepted now (`requestheader-allowed-names`); an empty list
 *   accepts any name
 */
export function createClientVerifier(allowedNames: () => readonly string[]): ClientVerifier {
  const judgements = new WeakMap<Socket, Judgement>()
  return {
    verify(socket) {
      let judgement = judgements.get(socket)
      if (judgement === undefined) {
        judgement = judge(socket)
        judgements.set(socket, judgement)
      }
      // The aggregator keeps connections for hours, and TLS checks the dates only in the handshake.
      if (Date.now() > judgement.until) return EXPIRED
      const { verdict } = judgement
      return verdict.kind === 'refused' ? verdict : allow(verdict, allowedNames())
    },
  }
}

/** Accepts verified clients, and every client at the open paths; answers 401 to others. Headers are not considered. */
export function authenticate(verifier: ClientVerifier, openPaths: ReadonlySet<string>): Middleware {
  return (ctx, next) => {
    if (openPaths.has(ctx.path)) return next()
    const verdict = verifier.verify(ctx.req.socket)
    if (verdict.kind === 'refused')
      throw unauthorized(`Cannot authenticate the client: ${verdict.reason}`)
    return next()
  }
}

function allow(verified: Verdict & { kind: 'verified' }, names: readonly string[]): Verdict {
  const { name } = verified
  if (names.length === 0 || names.includes(name)) return verified
  return { kind: 'refused', reason: `the name "${name}" is not one of the allowed names` }
}

function judge(socket: Socket): Judgement {
  if (!(socket instanceof TLSSocket)) return refused('the connection is not encrypted')
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) {
    return refused(
      'it sent no certificate; use kubectl get --raw, which asks through kube-apiserver',
    )
  }
  // Node has verified the dates and the chain up to the front proxy's authority.
  if (!socket.authorized) {
    return refused(
      `its certificate was not issued by the front proxy's authority (${socket.authorizationError})`,
    )
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
