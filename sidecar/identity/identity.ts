// The side of an identity that has it, a sidecar or the gateway: obtains one certificate and the CAs to trust from the
// webhook, renews them, and stops using a certificate that has expired. The webhook's side is webhook/identities/.
import type { Credentials } from '#serving/https/tls.ts'
import type { Logger } from '#serving/log.ts'
import { messageOf } from '#serving/text.ts'
import { Poll } from '#serving/waiting/poll.ts'
import { type AuthorityRequest, askAuthority, type Grant } from './authority-client.ts'
import {
  type HeldCertificate,
  holdCertificate,
  isIssuedBy,
  isNotYetValid,
  timeOf,
} from './held-certificate.ts'
import { createKeyAndRequest, type KeyAndRequest } from './signing-request.ts'
import { TokenFile } from './token-file.ts'

/**
 * How often the front proxy's CA is read again. Sidecars are promised to know a rotation within ten minutes; this is half
 * of that. Up to half of this interval is taken off at random, so that sidecars do not ask all at once.
 */
const REFRESH_MS = 300_000

/** How often the identity checks whether anything is due. */
const TICK_MS = 5_000

/** The longest pause between two attempts after a failure. */
const PAUSE_CAP_MS = 30_000

/** A reason that stays the same is logged again after this time: a log that is rotated away says nothing. */
const REPEAT_MS = 600_000

/** The certificate, and whom to trust. */
export interface IdentityCredentials extends Credentials {
  /** PEM of the project's CA certificates. */
  readonly ca: string
}

export interface IdentityOptions {
  /** URL of the webhook, `https://NAME.NAMESPACE.svc`. */
  readonly url: string
  /** PEM of the authority's CA when the pod was created. */
  readonly ca: string
  /** Path of the projected token. The kubelet replaces the token before it expires. */
  readonly tokenFile: string
  /** DNS names of the certificate to ask for. */
  readonly names: readonly string[]
  readonly log: Logger
  /** Called with each new credentials to use; with `undefined` when the certificate has expired. */
  readonly onCredentials: (credentials: IdentityCredentials | undefined) => void
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** Uniform in [0, 1). */
  readonly random?: () => number
  /** Asks the authority; default: over HTTPS. */
  readonly ask?: (request: AuthorityRequest) => Promise<Grant>
}

/** One identity, obtained and renewed until it is closed. */
export class Identity {
  readonly #options: IdentityOptions
  readonly #now: () => number
  readonly #random: () => number
  readonly #token: TokenFile
  readonly #poll: Poll
  readonly #stop = new AbortController()
  #request: KeyAndRequest | undefined
  #held: HeldCertificate | undefined
  #grant: Grant | undefined
  #refreshAt = 0
  /** Why the last attempt failed; `undefined` if it succeeded. */
  #reason: string | undefined
  /** When it was logged. */
  #saidAt = 0

  constructor(options: IdentityOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#random = options.random ?? Math.random
    this.#token = new TokenFile(options.tokenFile)
    this.#poll = new Poll({
      task: () => this.tick(),
      intervalMs: TICK_MS,
      pauseCapMs: PAUSE_CAP_MS,
      random: this.#random,
    })
  }

  /** Why there is no valid certificate; `undefined` if there is one. */
  get missing(): string | undefined {
    if (this.#held !== undefined) return undefined
    const state = this.#grant === undefined ? 'no certificate yet' : 'the certificate has expired'
    return this.#reason === undefined ? state : `${state}: ${this.#reason}`
  }

  /** Why the certificate in use cannot be renewed; `undefined` if it can, or if there is none. */
  get problem(): string | undefined {
    if (this.#held === undefined || this.#reason === undefined) return undefined
    return `the certificate, which ends at ${timeOf(this.#held)}, cannot be renewed: ${this.#reason}`
  }

  /** Common names of the clients; an empty list is any name. Not used before there is a certificate. */
  get allowedNames(): readonly string[] {
    return this.#grant?.allowedNames ?? []
  }

  /** Starts to ask the authority. Returns at once. */
  start(): void {
    void this.#poll.start()
  }

  close(): void {
    this.#stop.abort()
    this.#poll.close()
  }

  /**
   * Does what is due: asks for a certificate if there is none, if two thirds of its life are over or if its CA is not to be
   * trusted any more, and for the CAs every few minutes. Never rejects. Calls must not overlap.
   *
   * @returns whether it succeeded, or nothing was due
   */
  async tick(): Promise<boolean> {
    const now = this.#now()
    try {
      if (this.#held !== undefined && this.#held.end <= now) this.#expire()
      const isUrgent = this.#held === undefined || this.#held.renewAt <= now
      // A time that is further away than any interval was set by a clock that was ahead.
      const isTime = this.#refreshAt <= now || this.#refreshAt - now > REFRESH_MS
      if (!isUrgent && !isTime) return true
      await this.#refresh(isUrgent || isNotYetValid(this.#held, now))
      return true
    } catch (error) {
      this.#failed(error)
      return false
    }
  }

  async #refresh(withCertificate: boolean): Promise<void> {
    const { url, ca, names, ask = askAuthority } = this.#options
    // The key stays the same until it is certified: a new key for each attempt would cost more than the attempt.
    if (withCertificate) this.#request ??= createKeyAndRequest(names)
    const request = withCertificate ? this.#request : undefined
    const grant = await ask({
      url,
      // The latest answer of the authority counts: a CA that it no longer sends is no longer trusted.
      ca: this.#grant?.ca ?? ca,
      token: await this.#token.read(),
      csr: request?.csr,
      signal: this.#stop.signal,
    })
    this.#accept(grant, request)
  }

  #accept(grant: Grant, request: KeyAndRequest | undefined): void {
    const { log, names, onCredentials } = this.#options
    const now = this.#now()
    const before = { held: this.#held, grant: this.#grant, reason: this.#reason }
    const held =
      request === undefined ? before.held : holdCertificate(grant.certificate, request.key, now)
    if (held === undefined) return
    const isNew = held !== before.held
    const { ca, clientCa } = grant
    const trustChanged = before.grant?.clientCa !== clientCa || before.grant.ca !== ca
    // If the server cannot use them, this throws before anything is kept, and they are asked for again.
    if (isNew || trustChanged) {
      onCredentials({ cert: held.cert, key: held.key, clientCa, ca })
    }
    // Nobody trusts a certificate of another CA: it is renewed at the next tick.
    this.#held = isNew || isIssuedBy(ca, held) ? held : { ...held, renewAt: now }
    this.#grant = grant
    this.#request = undefined
    this.#reason = undefined
    this.#refreshAt = now + REFRESH_MS * (1 - this.#random() / 2)
    if (isNew) log.info({ names, until: timeOf(held) }, 'obtained a certificate')
    else if (trustChanged) log.info({}, 'the CAs to trust have changed')
    else if (before.reason !== undefined) log.info({}, 'the authority answers again')
    if (!isNew || !isNotYetValid(held, now)) return
    const from = new Date(held.start).toISOString()
    log.warn(
      { from },
      'the certificate is not valid yet: either our clock or that of the webhook is wrong',
    )
  }

  #failed(error: unknown): void {
    if (this.#stop.signal.aborted) return
    const reason = messageOf(error)
    const now = this.#now()
    // The authority is asked every few seconds. A clock may also be set back.
    const isSaid = reason === this.#reason && Math.abs(now - this.#saidAt) < REPEAT_MS
    this.#reason = reason
    if (isSaid) return
    this.#saidAt = now
    const end = this.#held && timeOf(this.#held)
    const message =
      end === undefined
        ? 'no certificate: only health is served; asking the authority again'
        : 'cannot renew the identity: keeping the current one; asking the authority again'
    this.#options.log.warn({ reason, ...(end !== undefined && { until: end }) }, message)
  }

  #expire(): void {
    this.#held = undefined
    this.#options.log.error({ reason: this.#reason }, 'the certificate has expired')
    this.#options.onCredentials(undefined)
  }
}
