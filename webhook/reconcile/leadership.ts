// Which replica does what only one may do: the one that holds the Lease, by client-go's rules (tools/leaderelection). Clocks
// of different machines are never compared: each replica measures by its own how long the Lease has not changed.
import * as v from 'valibot'
import type { Logger } from '#serving/log.ts'
import { Poll } from '#serving/waiting/poll.ts'
import type { Cluster, NewObject } from '../kubernetes/cluster.ts'
import { Outage } from '../kubernetes/outage.ts'

const NAME = 'flux-metrics-webhook'

/** How long the Lease must not have changed before another replica takes it. */
const DURATION_MS = 60_000

/** How long after its last renewal a replica still leads: it stops before another may begin. */
const RENEW_DEADLINE_MS = 40_000

/** How often the Lease is renewed, or tried for. */
const RETRY_MS = 10_000

/** The longest duration that is believed. */
const MAX_DURATION_S = 600

const LeaseSchema = v.object({
  metadata: v.object({ resourceVersion: v.string() }),
  spec: v.optional(
    v.object({
      holderIdentity: v.nullish(v.string()),
      leaseDurationSeconds: v.nullish(v.number()),
      acquireTime: v.nullish(v.string()),
      leaseTransitions: v.nullish(v.number()),
    }),
    {},
  ),
})

type Lease = v.InferOutput<typeof LeaseSchema>

export interface LeadershipOptions {
  readonly cluster: Pick<Cluster, 'read' | 'create' | 'replace'>
  /** Of the webhook. */
  readonly namespace: string
  /** Of this process, and of no other. */
  readonly identity: string
  readonly log: Logger
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number
}

/** This replica's part in the election. */
export class Leadership {
  readonly #options: LeadershipOptions
  readonly #log: Logger
  readonly #now: () => number
  readonly #outage: Outage
  readonly #poll: Poll
  /** The state of the Lease that was seen last, and since when. */
  #seen: { readonly version: string; readonly at: number } | undefined
  /** When the last renewal began that succeeded; `undefined` if another replica leads, or nobody. */
  #renewedAt: number | undefined
  #said = false
  #closed = false

  constructor(options: LeadershipOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#log = options.log.child({ component: 'leadership' })
    this.#outage = new Outage(this.#log, 'take part in the election of a leader')
    this.#poll = new Poll({
      task: () => this.tick(),
      intervalMs: RETRY_MS,
      pauseCapMs: RETRY_MS,
    })
  }

  /** Takes part until closed. Resolves after the first attempt, even if that failed. */
  async start(): Promise<void> {
    await this.#poll.start()
  }

  /** Gives the Lease back, so that another replica need not wait. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true
    this.#poll.close()
    if (!this.isLeader) return
    this.#renewedAt = undefined
    try {
      const lease = await this.#read()
      if (lease?.spec.holderIdentity !== this.#options.identity) return
      const free = { holderIdentity: '', leaseDurationSeconds: 1 }
      await this.#replace(lease, { ...lease.spec, ...free })
    } catch (error) {
      this.#outage.report([error])
    }
  }

  /** Whether this replica leads now. Ask before each step of what only the leader may do. */
  get isLeader(): boolean {
    return this.#renewedAt !== undefined && this.#now() - this.#renewedAt < RENEW_DEADLINE_MS
  }

  /** Renews the Lease, or tries for it. Never rejects. @returns whether the API server answered */
  async tick(): Promise<boolean> {
    const startedAt = this.#now()
    try {
      const holds = await this.#tryToHold()
      // A renewal that ends after close() must not count.
      this.#renewedAt = holds && !this.#closed ? startedAt : undefined
      this.#outage.report([])
    } catch (error) {
      this.#outage.report([error])
    }
    this.#say(this.isLeader)
    return this.#outage.reason === undefined
  }

  #say(isLeader: boolean): void {
    if (isLeader === this.#said) return
    this.#said = isLeader
    const { identity } = this.#options
    this.#log.info({ identity }, isLeader ? 'leads' : 'no longer leads')
  }

  async #tryToHold(): Promise<boolean> {
    const lease = await this.#read()
    if (lease === undefined) return this.#create()
    const { identity } = this.#options
    const { holderIdentity, leaseDurationSeconds, leaseTransitions } = lease.spec
    if (holderIdentity === identity) return this.#replace(lease, { ...lease.spec })
    const isFree = holderIdentity === undefined || holderIdentity === null || holderIdentity === ''
    if (!isFree && !this.#hasExpired(lease, leaseDurationSeconds)) return false
    return this.#replace(lease, {
      holderIdentity: identity,
      leaseTransitions: (leaseTransitions ?? 0) + 1,
      acquireTime: microTime(),
    })
  }

  /** Whether this replica has seen the same state of the Lease for its whole duration. */
  #hasExpired({ metadata }: Lease, seconds: number | null | undefined): boolean {
    const { resourceVersion: version } = metadata
    const now = this.#now()
    if (this.#seen?.version !== version) this.#seen = { version, at: now }
    const isSensible = typeof seconds === 'number' && seconds > 0 && seconds <= MAX_DURATION_S
    return now - this.#seen.at >= (isSensible ? seconds * 1000 : DURATION_MS)
  }

  async #read(): Promise<Lease | undefined> {
    const { cluster, namespace } = this.#options
    const object = await cluster.read({ ...KIND, namespace, name: NAME })
    return object === undefined ? undefined : v.parse(LeaseSchema, object)
  }

  async #create(): Promise<boolean> {
    const { identity } = this.#options
    const spec = { holderIdentity: identity, acquireTime: microTime(), leaseTransitions: 0 }
    return (await this.#options.cluster.create(this.#lease(undefined, spec))) !== 'conflict'
  }

  /** @returns `false` if another replica was faster */
  async #replace({ metadata }: Lease, spec: Partial<Lease['spec']>): Promise<boolean> {
    const object = this.#lease(metadata.resourceVersion, spec)
    return (await this.#options.cluster.replace(object)) !== 'conflict'
  }

  #lease(resourceVersion: string | undefined, spec: object): NewObject {
    const { namespace } = this.#options
    const version = resourceVersion === undefined ? {} : { resourceVersion }
    const times = { leaseDurationSeconds: DURATION_MS / 1000, renewTime: microTime() }
    return {
      ...KIND,
      metadata: { name: NAME, namespace, ...version },
      spec: { ...times, ...spec },
    }
  }
}

const KIND = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const

/** The form of meta/v1 `MicroTime`. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z')
}
