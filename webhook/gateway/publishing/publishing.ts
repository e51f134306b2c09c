// Publishes the gateway: keeps the APIServices that lead API servers to it, where no other adapter has them. Any replica does;
// writes carry the version that was read, so that two replicas do no harm. What is to be done is decided in decision.ts.
import type { Registry } from 'prom-client'
import * as v from 'valibot'
import type { Logger } from '#serving/log.ts'
import { Poll } from '#serving/poll.ts'
import { GATEWAY } from '../../contract.ts'
import { type ApiServer, POLL_PACE } from '../../kubernetes/cluster.ts'
import { Outage } from '../../kubernetes/outage.ts'
import {
  CUSTOM,
  type Destination,
  EXTERNAL,
  parseApiService,
  referenceOf,
  type ServicePlace,
} from './api-service.ts'
import { type Change, type Decision, decide, type Found, type Group } from './decision.ts'
import { Reports } from './reports.ts'

export type PublishingCluster = Pick<ApiServer, 'read' | 'list' | 'create' | 'replace' | 'delete'>

export interface PublishingOptions {
  readonly cluster: PublishingCluster
  /** Whether this replica can answer now. */
  readonly canServe: () => boolean
  /** The project's CA bundle (PEM) of this replica's certificate; `undefined` until it has one. */
  readonly caBundle: () => string | undefined
  /** The gateway's Service. */
  readonly namespace: string
  readonly service: string
  /** The adapters that may be taken over from. */
  readonly upstreams: { readonly custom: Target | undefined; readonly external: Target | undefined }
  /** Whether external metrics are served. */
  readonly external: boolean
  readonly registry: Registry
  readonly log: Logger
}

/** As upstream/ has it. */
interface Target {
  readonly namespace: string
  readonly service: string
  readonly port: number
}

/** The port of the gateway's Service. */
const PORT = 443

const OWNER = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  name: GATEWAY,
  metadataOnly: true,
} as const

/** A Service with two replicas has one slice for each family of addresses. */
const MAX_SLICES = 10

const SliceSchema = v.object({
  endpoints: v.nullish(
    v.array(v.object({ conditions: v.nullish(v.object({ ready: v.nullish(v.boolean()) })) })),
  ),
})

export class Publishing {
  readonly #options: PublishingOptions
  readonly #gateway: ServicePlace
  readonly #groups: readonly (readonly [typeof CUSTOM, Group])[]
  readonly #reports: Reports
  readonly #outage: Outage
  readonly #poll: Poll

  constructor(options: PublishingOptions) {
    const { cluster, upstreams, registry, external } = options
    this.#options = options
    const { namespace, service } = options
    this.#gateway = placeOf({ namespace, service, port: PORT })
    this.#groups = [
      [
        CUSTOM,
        {
          isServed: true,
          upstream: upstreams.custom && placeOf(upstreams.custom),
          variable: 'UPSTREAM_CUSTOM_METRICS',
        },
      ],
      [
        EXTERNAL,
        {
          isServed: external,
          upstream: upstreams.external && placeOf(upstreams.external),
          variable: 'UPSTREAM_EXTERNAL_METRICS',
        },
      ],
    ]
    const log = options.log.child({ component: 'publishing' })
    this.#reports = new Reports({ cluster, registry, log })
    this.#outage = new Outage(log, 'publish the APIServices')
    this.#poll = new Poll({ ...POLL_PACE, task: () => this.tick() })
  }

  /** Keeps them right until closed. Resolves after the first attempt, even if that failed. */
  async start(): Promise<void> {
    await this.#poll.start()
  }

  /** Leaves them as they are: another replica serves, or this one follows. */
  close(): void {
    this.#poll.close()
  }

  /** Looks once. Never rejects. @returns whether it could */
  async tick(): Promise<boolean> {
    const caBundle = this.#options.caBundle()
    if (caBundle === undefined || !this.#options.canServe()) return false
    try {
      const destination = {
        gateway: this.#gateway,
        caBundle: Buffer.from(caBundle).toString('base64'),
        owner: await this.#readOwner(),
      }
      let isComplete = true
      for (const [versions, group] of this.#groups) {
        const found = await Promise.all(versions.map((version) => this.#read(version)))
        isComplete = (await this.#act(decide(found, group, destination))) && isComplete
      }
      this.#outage.report([])
      return isComplete
    } catch (error) {
      this.#outage.report([error])
      return false
    }
  }

  async #read(version: (typeof CUSTOM)[number]): Promise<Found[number]> {
    const object = await this.#options.cluster.read(referenceOf(version))
    return [version, object === undefined ? undefined : parseApiService(object)]
  }

  /** Without an owner the APIServices would stay when the gateway is uninstalled, and no namespace could be deleted. */
  async #readOwner(): Promise<Destination['owner']> {
    const uid = (await this.#options.cluster.read(OWNER))?.metadata?.uid
    if (uid !== undefined) return { name: GATEWAY, uid }
    throw new Error(`Cannot find ClusterRole "${GATEWAY}", with which the APIServices are deleted`)
  }

  /** @returns `false` if there is more to do */
  async #act(decisions: readonly Decision[]): Promise<boolean> {
    const changes = decisions.flatMap(({ step }) => (step.kind === 'change' ? [step.change] : []))
    const leadsHere = changes.some(({ kind }) => kind !== 'remove')
    const isReachable = !leadsHere || (await this.#isReachable())
    let isComplete = true
    for (const decision of decisions) {
      const { step } = decision
      const isDone = step.kind !== 'change' || (isReachable && (await this.#carryOut(step.change)))
      isComplete &&= isDone
      await this.#reports.report(decision, isDone)
    }
    return isComplete
  }

  /** @returns `false` if another writer was faster */
  async #carryOut({ kind, object }: Change): Promise<boolean> {
    const { cluster } = this.#options
    if (kind === 'create') return (await cluster.create(object)) !== 'conflict'
    if (kind === 'remove') return (await cluster.delete(object)) !== 'conflict'
    return (await cluster.replace(object)) !== 'conflict'
  }

  /** Whether API servers find a replica: an API that is led elsewhere before would fail until they do. */
  async #isReachable(): Promise<boolean> {
    const { cluster, namespace, service } = this.#options
    const slices = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      namespace,
      labelSelector: `kubernetes.io/service-name=${service}`,
    }
    const { items } = await cluster.list(slices, { limit: MAX_SLICES })
    return items.some((slice) => {
      const parsed = v.safeParse(SliceSchema, slice)
      if (!parsed.success) return false
      return parsed.output.endpoints?.some(({ conditions }) => conditions?.ready !== false) ?? false
    })
  }
}

function placeOf({ namespace, service: name, port }: Target): ServicePlace {
  return { namespace, name, port }
}
