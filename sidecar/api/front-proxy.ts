// Who asks: request-header authentication as kube-apiserver's aggregator does it. It has authenticated and authorized the
// caller and says who that is in X-Remote-* headers; all we must be sure of is that it is the aggregator who says so.

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

/** Judges connections; the certificate of each is judged once, and its verdict lasts no longer than that. */
export interface ClientVerifier {
  verify(socket: Socket): Verdict
}

/**
 * Creates a verifier.
 *
 * @param allowedNames common names that are accepted now, as in `requestheader-allowed-names`: none listed is any
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
      // The aggregator keeps connections for hours, and TLS looks at the dates in the handshake alone.
      if (Date.now() > judgement.until) return EXPIRED
      const { verdict } = judgement
      return verdict.kind === 'refused' ? verdict : allow(verdict, allowedNames())
    },
  }
}

/** Lets pass who is verified, and everyone to the open paths; else 401. Header names alone never count. */
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
  return { kind: 'refused', reason: `the name "${name}" is not among those allowed` }
}

function judge(socket: Socket): Judgement {
  if (!(socket instanceof TLSSocket)) return refused('the connection is not encrypted')
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) {
    return refused('it gave no certificate; ask through kube-apiserver, with kubectl get --raw')
  }
  // Node has verified the chain, up to the front proxy's authority, and the dates.
  if (!socket.authorized) {
    return refused(
      `its certificate is not of the front proxy's authority (${socket.authorizationError})`,
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

/** The only CN of the subject. */
function commonName(certificate: X509Certificate): string | undefined {
  const { CN } = certificate.toLegacyObject().subject
  return typeof CN === 'string' ? CN : undefined
}
