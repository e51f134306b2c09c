// How the port of reviews knows an API server: by a client certificate of CLIENT_CA_FILE, if that is set. The file is read again
// when it changes.
import { type ClientVerifier, createClientVerifier } from '#serving/https/client-verifier.ts'
import { CredentialWatch, readCredentials } from '#serving/https/tls.ts'
import type { Logger } from '#serving/log.ts'
import type { Config } from './config.ts'

const WORDS = {
  authority: 'the authority in CLIENT_CA_FILE',
  hint: 'the API server sends one if its AdmissionConfiguration says so',
} as const

export interface ApiServerClients {
  readonly verifier: ClientVerifier
  /** PEM */
  readonly ca: string | undefined
  /** Passes on each later CA. */
  onCa(use: (ca: string | undefined) => void): void
  close(): void
}

/**
 * @returns `undefined` if API servers are not known, which is logged
 * @throws Error that says what is wrong with the file
 */
export async function readApiServerClients(
  clients: Config['clients'],
  log: Logger,
): Promise<ApiServerClients | undefined> {
  if (clients === undefined) {
    log.warn(
      { bounds: 'rates of look-ups and Events, and Events only about what is read live' },
      'reviews are taken from anybody who reaches the port: CLIENT_CA_FILE is not set',
    )
    return undefined
  }
  const files = { clientCa: clients.caFile }
  const current = await readCredentials(files)
  let use: (ca: string | undefined) => void = () => {}
  const watch = new CredentialWatch({
    files,
    current,
    onChange: ({ clientCa }) => use(clientCa),
    log: log.child({ component: 'tls' }),
  })
  return {
    verifier: createClientVerifier(() => clients.allowedNames, WORDS),
    ca: current.clientCa,
    onCa: (listener) => {
      use = listener
    },
    close: () => watch.close(),
  }
}
