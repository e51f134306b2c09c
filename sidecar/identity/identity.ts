// Who we are, and whom we are to trust: obtained from the webhook's authority, kept up to date, given up when it ends.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Credentials } from '#serving/https/tls.ts'
import type { Logger } from '#serving/log.ts'
import { Poll } from '#serving/poll.ts'
import { type AuthorityRequest, askAuthority, type Grant } from './authority-client.ts'
import { createKeyAndRequest, type KeyAndRequest } from './signing-request.ts'

/**
 * How often the front proxy's authority is asked for: a rotation is known everywhere in half of the ten minutes that are
 * promised. A random part of it is taken off, so that not all sidecars ask at once.
 */
const REFRESH_MS = 300_000

/** How often we look whether anything is due. */
const TICK_MS = 5_000

/** Where nothing is to be had, we ask this often at most. */
const PAUSE_CAP_MS = 30_000

export interface IdentityOptions {
  /** Of the webhook, `https://NAME.NAMESPACE.svc`. */
  readonly url: string
  /** PEM of the authority's CA, as it was when the pod was made. */
  readonly ca: string
  /** Path of the projected token; the kubelet writes it anew before it ends. */
  readonly tokenFile: string
  /** DNS names that we are to have. */
  readonly names: readonly string[]
  readonly log: Logger
  /** Told of all credentials that are to be used from now on; `undefined` when there are none any more. */
  readonly onCredentials: (credentials: Credentials | undefined) => void
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** Uniform in [0, 1). */
  readonly random?: () => number
  /** Asks the authority; default: over HTTPS. */
  readonly ask?: (request: AuthorityRequest) => Promise<Grant>
}

/** A certificate that we hold, with its key. */
interface Held {
  readonly cert: string
  readonly key: string
  readonly renewAt: number
  readonly end: number
}

/** Obtains and keeps an identity. */
export class Identity {
  readonly #options: IdentityOptions
  readonly #now: () => number
  readonly #random: () => number
  readonly #poll: Poll
  readonly #stop = new AbortController()
  #request: KeyAndRequest | undefined
  #held: Held | undefined
  #grant: Grant | undefined
  #refreshAt = 0
  /** Why the authority gave nothing the last time. */
  #reason: string | undefined

  constructor(options: IdentityOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#random = options.random ?? Math.random
    this.#poll = new Poll({
      task: () => this.tick(),
      intervalMs: TICK_MS,
      pauseCapMs: PAUSE_CAP_MS,
      random: this.#random,
    })
  }

  /** Why we have no certificate that may be used; `undefined` if we have one. */
  get missing(): string | undefined {
    if (this.#held !== undefined) return undefined
    const what = this.#grant === undefined ? 'no certificate yet' : 'the certificate has expired'
    return this.#reason === undefined ? what : `${what}: ${this.#reason}`
  }

  /** Common names of the front proxy. None is any; before there is a certificate, nobody is asked for one. */
  get allowedNames(): readonly string[] {
    return this.#grant?.allowedNames ?? []
  }

  /** Begins to ask. Returns at once. */
  start(): void {
    void this.#poll.start()
  }

  close(): void {
    this.#stop.abort()
    this.#poll.close()
  }

  /**
   * Does what is due: a certificate when there is none or two thirds of its life are over, the authorities now and then.
   * Never rejects; calls must not overlap.
   *
   * @returns whether nothing is left to do
   */
  async tick(): Promise<boolean> {
    const now = this.#now()
    if (this.#held !== undefined && this.#held.end <= now) this.#expire()
    const isDue = this.#held === undefined || this.#held.renewAt <= now
    if (!isDue && now < this.#refreshAt) return true
    try {
      await this.#refresh(isDue)
      return true
    } catch (error) {
      this.#failed(error)
      return false
    }
  }

  async #refresh(withCertificate: boolean): Promise<void> {
    const { url, ca, tokenFile, names, ask = askAuthority } = this.#options
    // The same key until it is certified: a new one for each attempt would cost more than the attempt.
    if (withCertificate) this.#request ??= await createKeyAndRequest(names)
    const request = withCertificate ? this.#request : undefined
    const grant = await ask({
      url,
      // What the authority said last: a CA that it has dropped is trusted no longer.
      ca: this.#grant?.ca ?? ca,
      token: (await readFile(tokenFile, 'utf8')).trim(),
      csr: request?.csr,
      signal: this.#stop.signal,
    })
    this.#learn(grant, request)
  }

  #learn(grant: Grant, request: KeyAndRequest | undefined): void {
    const { log, names, onCredentials } = this.#options
    const now = this.#now()
    const before = { held: this.#held, grant: this.#grant, reason: this.#reason }
    const held = request === undefined ? before.held : hold(grant, request, now)
    if (held === undefined) return
    const isNew = held !== before.held
    const trustChanged = before.grant?.clientCa !== grant.clientCa
    // What cannot be used is asked for again: nothing is remembered of it.
    if (isNew || trustChanged) {
      onCredentials({ cert: held.cert, key: held.key, clientCa: grant.clientCa })
    }
    this.#held = held
    this.#grant = grant
    this.#request = undefined
    this.#reason = undefined
    this.#refreshAt = now + REFRESH_MS * (1 - this.#random() / 2)
    if (isNew)
      log.info({ names, until: new Date(held.end).toISOString() }, 'obtained a certificate')
    else if (trustChanged) log.info({}, "the front proxy's authority has changed")
    else if (before.reason !== undefined) log.info({}, 'the authority answers again')
  }

  #failed(error: unknown): void {
    if (this.#stop.signal.aborted) return
    const reason = error instanceof Error ? error.message : String(error)
    // Each reason once: an authority that is away is asked again and again.
    if (reason === this.#reason) return
    this.#reason = reason
    const end = this.#held === undefined ? undefined : new Date(this.#held.end).toISOString()
    const message =
      end === undefined
        ? 'no certificate, nothing but health is served: asking again'
        : 'cannot renew what the authority gave: keeping it, asking again'
    this.#options.log.warn({ reason, ...(end !== undefined && { until: end }) }, message)
  }

  #expire(): void {
    this.#held = undefined
    this.#options.log.error({ reason: this.#reason }, 'the certificate has expired')
    this.#options.onCredentials(undefined)
  }
}

/** @throws Error for a certificate that cannot be used */
function hold({ certificate }: Grant, { key }: KeyAndRequest, now: number): Held {
  if (certificate === undefined) throw new Error('the authority gave no certificate')
  const parsed = new X509Certificate(certificate)
  if (!parsed.checkPrivateKey(createPrivateKey(key))) {
    throw new Error('the authority gave a certificate of another key')
  }
  const end = parsed.validToDate.getTime()
  if (end <= now) throw new Error('the authority gave a certificate that has expired')
  return { cert: certificate, key, end, renewAt: now + ((end - now) * 2) / 3 }
}
