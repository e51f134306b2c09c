// With what a call reaches the API server: the client's credentials, which are read again and again because tokens
// expire, and open connections. Makes no calls.
import { Agent, type RequestOptions } from 'node:https'
import { TLS_POLICY } from '#serving/tls-policy.ts'

/** How long credentials are used before they are read again. The kubelet replaces tokens long before they expire. */
const LIFE_MS = 60_000

/** Adds the CA of the API server and the credentials of the client to the options of a request. */
export type ApplyCredentials = (options: RequestOptions) => Promise<void>

/** The credentials of calls, until they are refreshed. */
interface Credentials {
  readonly agent: Agent
  readonly headers: RequestOptions['headers']
  readonly auth: string | null | undefined
  /** When they are read again, in milliseconds of a monotonic clock. */
  readonly until: number
  /** Identifies the TLS options that the agent was created with. */
  readonly fingerprint: string
}

export class ApiCredentials {
  readonly #apply: ApplyCredentials
  #known: Credentials | undefined
  /** Calls at one time share it: each would create an agent, and no call would close its connections. */
  #refreshing: Promise<Credentials> | undefined

  constructor(apply: ApplyCredentials) {
    this.#apply = apply
  }

  /** @throws Error if they cannot be read */
  async current(): Promise<Credentials> {
    const known = this.#known
    if (known !== undefined && performance.now() < known.until) return known
    this.#refreshing ??= this.#refresh(known).finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  /** A token was refused: they are read again for the next call. */
  expire(): void {
    if (this.#known !== undefined) this.#known = { ...this.#known, until: Number.NEGATIVE_INFINITY }
  }

  async #refresh(known: Credentials | undefined): Promise<Credentials> {
    const options: RequestOptions = { headers: {} }
    await this.#apply(options)
    const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = options
    const tls = { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized }
    const fingerprint = JSON.stringify(Object.values(tls).map(String))
    // Connections are kept when a token changes, but not when the certificate or the CA changes.
    const agent =
      known?.fingerprint === fingerprint
        ? known.agent
        : new Agent({ ...TLS_POLICY, ...withoutUndefined(tls), keepAlive: true })
    if (agent !== known?.agent) known?.agent.destroy()
    const until = performance.now() + LIFE_MS
    const { headers, auth } = options
    this.#known = { agent, headers, auth, until, fingerprint }
    return this.#known
  }
}

/** Node treats a TLS option that is `undefined` differently from one that is absent. */
function withoutUndefined<T extends object>(options: T): Partial<T> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.assign({}, ...entries.map(([name, value]) => ({ [name]: value })))
}
