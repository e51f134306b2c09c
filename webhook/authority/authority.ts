// The project's certificate authority, as the rest of the webhook uses it: the CA certificates to trust, and certificates
// on request. Puts the parts together: the CA in its Secret, its bundle in other objects, the webhook's own certificate.
// Whether a sidecar may have a certificate is decided in identities/.

import { serviceNames } from '#serving/certificates/certificate-names.ts'
import type { ServingKeys } from '#serving/https/tls.ts'
import type { Logger } from '#serving/log.ts'
import { unavailable } from '#serving/status.ts'
import { Poll } from '#serving/waiting/poll.ts'
import type { Cluster } from '../kubernetes/cluster.ts'
import { POLL_PACE } from '../kubernetes/cluster.ts'
import { Outage } from '../kubernetes/outage.ts'
import { CaKeeper } from './ca-keeper.ts'
import { bundleOf, type CaState, withChain } from './ca-state.ts'
import { CaStore } from './ca-store.ts'
import { issueLeaf, type LeafRequest } from './certificate-authority.ts'
import { type Observation, Publisher } from './publisher.ts'
import { ServingLeaf } from './serving-leaf.ts'

/** An issuer of certificates. Both members throw StatusError 503 while there is no CA. */
export interface Authority {
  /** PEM of all CA certificates that clients must trust now, the oldest first. */
  readonly bundle: string
  /**
   * Issues a certificate for a public key and exactly these DNS names.
   *
   * @returns PEM, with the certificates that lead to it from older CAs: who asks for the CAs every few minutes knows a new CA
   *   later than it signs
   */
  issue(request: LeafRequest): Promise<string>
}

/** Whether the webhook can be reached over TLS, with the reason in words. */
export interface Readiness {
  readonly ready: boolean
  readonly message: string
}

export interface SelfAuthorityOptions {
  readonly cluster: Cluster
  /** The webhook's own namespace, which has its Secret and its Service. */
  readonly namespace: string
  /** Name of the webhook's Service. */
  readonly service: string
  readonly log: Logger
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** The authority of `CERTIFICATES=self`: its CA is in a Secret that all replicas of the webhook share. */
export class SelfAuthority implements Authority {
  readonly #log: Logger
  readonly #now: () => number
  readonly #keeper: CaKeeper
  readonly #publisher: Publisher
  readonly #leaf: ServingLeaf
  readonly #outage: Outage
  readonly #poll: Poll
  readonly #listeners = new Set<(keys: ServingKeys) => void>()
  readonly #started = Promise.withResolvers<void>()

  constructor(options: SelfAuthorityOptions) {
    const { cluster, namespace, service, now = Date.now } = options
    const log = options.log.child({ component: 'authority' })
    this.#log = log
    this.#now = now
    this.#keeper = new CaKeeper({ store: new CaStore({ cluster, namespace }), log, now })
    this.#publisher = new Publisher({ cluster, namespace, log, now })
    this.#leaf = new ServingLeaf(serviceNames(service, namespace))
    this.#outage = new Outage(log, 'keep certificates up to date')
    this.#poll = new Poll({ ...POLL_PACE, task: () => this.tick() })
  }

  /**
   * Keeps the certificates up to date until {@link close}.
   *
   * Resolves as soon as there is a CA and a certificate of the webhook, or when it is closed before. Until then
   * {@link readiness} says what is missing.
   */
  async start(): Promise<void> {
    void this.#poll.start()
    await this.#started.promise
  }

  close(): void {
    this.#poll.close()
    this.#started.resolve()
  }

  get bundle(): string {
    return bundleOf(this.#usableState())
  }

  async issue(request: LeafRequest): Promise<string> {
    const [state, now] = [this.#usableState(), this.#now()]
    return withChain(await issueLeaf(state.current, request, now), state, now)
  }

  /** The webhook's certificate and key; `undefined` before there are any. */
  get servingKeys(): ServingKeys | undefined {
    return this.#leaf.keys
  }

  /** Calls the listener with each new pair from now on. */
  onServingKeys(listener: (keys: ServingKeys) => void): void {
    this.#listeners.add(listener)
  }

  /** Ready until the webhook's certificate expires, even if the API server cannot be reached. */
  get readiness(): Readiness {
    const { end } = this.#leaf
    const ready = this.#leaf.isValid(this.#now())
    const state = end === 0 ? 'no certificate yet' : `certificate until ${toText(end)}`
    const { reason } = this.#outage
    return { ready, message: reason === undefined ? state : `${state}: ${reason}` }
  }

  /**
   * Checks everything once, and does what is due. Never rejects. Calls must not overlap.
   *
   * @returns whether all of it succeeded
   */
  async tick(): Promise<boolean> {
    // The objects are read before the Secret. So the bundle from the Secret is at least as new as any bundle in the objects.
    const observation = await this.#publisher.observe()
    const failures = [
      ...(await this.#keep(observation).catch((err: unknown) => [err])),
      // Even if the API server cannot be reached, the certificate is renewed, with the CA that was read last.
      ...(await this.#renewLeaf().catch((err: unknown) => [err])),
      ...observation.failures,
    ]
    this.#outage.report(failures)
    return failures.length === 0
  }

  /** Nothing is published while the Secret cannot be read: the bundle may have changed. */
  async #keep(observation: Observation): Promise<readonly unknown[]> {
    const state = await this.#keeper.keep((known) =>
      this.#publisher.publishedSince(bundleOf(known), observation),
    )
    return this.#publisher.publish(bundleOf(state), observation)
  }

  async #renewLeaf(): Promise<readonly unknown[]> {
    const state = this.#keeper.state
    if (state === undefined) return []
    const keys = await this.#leaf.renew(state, this.#now())
    this.#started.resolve()
    if (keys === undefined) return []
    this.#log.info({ until: toText(this.#leaf.end) }, 'created a serving certificate')
    for (const listener of this.#listeners) listener(keys)
    return []
  }

  #usableState(): CaState {
    const state = this.#keeper.state
    const { reason = 'it is not created yet' } = this.#outage
    if (state === undefined) throw unavailable(`Cannot use the certificate authority: ${reason}`)
    const { notBefore, notAfter } = state.current
    const now = this.#now()
    if (notBefore <= now && now < notAfter) return state
    const why =
      now < notBefore
        ? `it is not valid before ${toText(notBefore)}`
        : `it expired at ${toText(notAfter)}`
    throw unavailable(`Cannot use the certificate authority: ${why}`)
  }
}

function toText(ms: number): string {
  return new Date(ms).toISOString()
}
