// Credentials that the authority (the webhook) issues: those of a server, and those with which the same program is a client of
// others in the project. Obtains none itself: identity.ts does.
import { createSelfSigned } from '#serving/https/self-signed.ts'
import type { Credentials, ServingKeys } from '#serving/https/tls.ts'
import type { Logger } from '#serving/log.ts'
import type { CredentialSource } from './credential-source.ts'
import { Identity } from './identity.ts'

/** How to reach the webhook as authority. */
export interface Authority {
  /** `https://NAME.NAMESPACE.svc` */
  readonly url: string
  readonly tokenFile: string
  /** PEM */
  readonly ca: string
}

/** What a client of the project's servers needs: its own certificate with its chain, and whom it trusts. */
export interface ClientCredentials extends ServingKeys {
  /** PEM of the project's CA certificates. */
  readonly ca: string
}

/** Credentials of one identity. */
export interface IssuedCredentials extends CredentialSource {
  /** For asking other servers of the project; another object after each change, `undefined` while there is no certificate. */
  asClient(): ClientCredentials | undefined
  /** Passes on all later credentials. Without a certificate there are none of a client. */
  start(use: (credentials: Credentials, client: ClientCredentials | undefined) => void): void
}

/**
 * Until there is a certificate the server has a self-signed one.
 *
 * @param options.names DNS names to ask for
 */
export function createIssuedCredentials(
  options: { readonly authority: Authority; readonly names: readonly string[] },
  log: Logger,
): IssuedCredentials {
  const { authority, names } = options
  const placeholder = { ...createSelfSigned(names), clientCa: undefined }
  let client: ClientCredentials | undefined
  let use: Parameters<IssuedCredentials['start']>[0] = () => {}
  const identity = new Identity({
    ...authority,
    names,
    log: log.child({ component: 'identity' }),
    onCredentials: (issued) => {
      if (issued === undefined) return use(placeholder, undefined)
      const { cert, key, clientCa, ca } = issued
      const next = { cert, key, ca }
      // If the server cannot use them, this throws, and nothing is kept.
      use({ cert, key, clientCa }, next)
      client = next
    },
  })
  return {
    first: placeholder,
    authenticatesClients: true,
    allowedNames: () => identity.allowedNames,
    missing: () => identity.missing,
    problem: () => identity.problem,
    asClient: () => (identity.missing === undefined ? client : undefined),
    start: (listener) => {
      use = listener
      identity.start()
    },
    close: () => identity.close(),
  }
}
