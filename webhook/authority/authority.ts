// The project's certificate authority, as the rest of the webhook sees it: whom to trust, and certificates on request.
// Puts the parts together: the CA in its Secret, its publishing, the webhook's own certificate.

import type { ServingKeys } from '#serving/https/tls.ts'
import type { Logger } from '#serving/log.ts'
import { Poll } from '#serving/poll.ts'
import { unavailable } from '#serving/status.ts'
import type { Cluster } from '../kubernetes/cluster.ts'
import { POLL_PACE } from '../kubernetes/cluster.ts'
import { Outage } from '../kubernetes/outage.ts'
import { CaKeeper } from './ca-keeper.ts'
import { bundleOf, type CaState } from './ca-state.ts'
import { CaStore } from './ca-store.ts'
import { issueLeaf, type LeafRequest } from './certificate-authority.ts'
import { type Observation, Publisher } from './publisher.ts'
import { ServingLeaf } from './serving-leaf.ts'

/** What issues certificates. Both throw StatusError 503 while there is no CA. */
export interface Authority {
  /** PEM of all CA certificates that clients must trust now, the oldest first. */
  readonly bundle: string
  /** Issues a serving certificate (PEM) for a public key and exactly these DNS names. */
  issue(request: LeafRequest): Promise<string>
}

/** Whether the webhook can be reached over TLS, with a sentence why (not). */
export interface Readiness {
  readonly ready: boolean
  readonly message: string
}

export interface SelfAuthorityOptions {
  readonly cluster: Cluster
  /** The webhook's own, where its Secret and its Service are. */
  readonly namespace: string
  /** Name of the webhook's Service. */
  readonly service: string
  readonly log: Logger
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** Uniform in [0, 1). */
  readonly random?: () => number
}

/** `CERTIFICATES=self`: the CA is ours, kept in a Secret that all replicas share. */
export class SelfAuthority implements Authority {
  readonly #log: Logger
  readonly #now: () => number
  readonly #keeper: CaKeeper
  readonly #publisher: Publisher
  readonly #leaf: ServingLeaf
  readonly #outage: Outage
  readonly #poll: Poll
  readonly #listeners = new Set<(keys: ServingKeys) => void>()
  readonly #begun = Promise.withResolvers<void>()

  constructor(options: SelfAuthorityOptions) {
    const { cluster, namespace, service, now = Date.now, random } = options
    const log = options.log.child({ component: 'authority' })
    const host = `${service}.${namespace}.svc`
    this.#log = log
    this.#now = now
    this.#keeper = new CaKeeper({ store: new CaStore({ cluster, namespace }), log, now })
    this.#publisher = new Publisher({ cluster, log, now })
    this.#leaf = new ServingLeaf([host, `${host}.cluster.local`])
    this.#outage = new Outage(log, 'keep certificates up to date')
    this.#poll = new Poll({ ...POLL_PACE, task: () => this.tick(), random })
  }

  /**
   * Looks after the certificates until {@link close}.
   *
   * Resolves as soon as there is a CA and a certificate of ours, however long that takes, or when closed before;
   * {@link readiness} tells why it takes long.
   */
  async start(): Promise<void> {
    void this.#poll.start()
    await this.#begun.promise
  }

  close(): void {
    this.#poll.close()
    this.#begun.resolve()
  }

  get bundle(): string {
    return bundleOf(this.#usableState())
  }

  async issue(request: LeafRequest): Promise<string> {
    return issueLeaf(this.#usableState().current, request, this.#now())
  }

  /** The webhook's certificate and key; `undefined` before there are any. */
  get servingKeys(): ServingKeys | undefined {
    return this.#leaf.keys
  }

  /** Calls with each new pair from now on. */
  onServingKeys(listener: (keys: ServingKeys) => void): void {
    this.#listeners.add(listener)
  }

  /** With the API server away, we are ready until our certificate ends. */
  get readiness(): Readiness {
    const { end } = this.#leaf
    const ready = this.#now() < end
    const state = end === 0 ? 'no certificate yet' : `certificate until ${toText(end)}`
    const { reason } = this.#outage
    return { ready, message: reason === undefined ? state : `${state}: ${reason}` }
  }

  /**
   * Looks once, and does what is to be done. Never rejects; calls must not overlap.
   *
   * @returns whether all of it worked
   */
  async tick(): Promise<boolean> {
    // Objects are looked at before the Secret: a bundle that another replica published since is then known to us.
    const observation = await this.#publisher.observe()
    const failures = [
      ...(await this.#keep(observation).catch((err: unknown) => [err])),
      // With the API server away, our certificate is renewed with the CA that we know.
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
    const keys = await this.#leaf.renew(state.current, this.#now())
    this.#begun.resolve()
    if (keys === undefined) return []
    this.#log.info({ until: toText(this.#leaf.end) }, 'made a serving certificate')
    for (const listener of this.#listeners) listener(keys)
    return []
  }

  #usableState(): CaState {
    const state = this.#keeper.state
    const { reason = 'it is being made' } = this.#outage
    if (state === undefined) throw unavailable(`Cannot use the certificate authority: ${reason}`)
    const end = state.current.notAfter
    if (end > this.#now()) return state
    throw unavailable(`Cannot use the certificate authority: it expired at ${toText(end)}`)
  }
}

function toText(ms: number): string {
  return new Date(ms).toISOString()
}
