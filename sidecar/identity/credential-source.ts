// What a server needs of any source of credentials: types only. The sources are in credentials.ts and issued-credentials.ts.
import type { Credentials } from '#serving/https/tls.ts'

/** Credentials that may change while the program runs. */
export interface CredentialSource {
  /** The credentials at start. */
  readonly first: Credentials
  /** Whether clients must show certificates, now or as soon as their CA is known. */
  readonly authenticatesClients: boolean
  /** Common names of the clients; an empty list is any name. */
  allowedNames(): readonly string[]
  /** Why there are no credentials yet, or no longer; `undefined` if none are missing. */
  missing(): string | undefined
  /** What is wrong with the credentials in use, or with newer ones that cannot be used; `undefined` if nothing is. */
  problem(): string | undefined
  /** Passes on all later credentials. */
  start(use: (credentials: Credentials) => void): void
  close(): void
}
