// Publishes the gateway: keeps the APIServices that lead API servers to it, where no other adapter has them. Any replica does;
// writes carry the version that was read, so that two replicas do no harm. What is to be done is decided in decision.ts.
import { isDeepStrictEqual } from 'node:util'
import type { Registry } from 'prom-client'
import { EXTERNAL_GROUP, GROUP } from '#api/api-group.ts'
import type { Logger } from '#serving/log.ts'
import { Poll } from '#serving/waiting/poll.ts'
import { GATEWAY } from '../../contract.ts'
import { type ApiServer, type ClusterObject, POLL_PACE } from '../../kubernetes/cluster.ts'
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
import { ofAnotherRollout, readyReplicas } from './replicas.ts'
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
  /** Why this replica cannot pass the requests of a group on to its adapter yet; `undefined` if it can. */
  readonly adapterObstacle: (group: string) => string | undefined
  /** Whether external metrics are served. */
  readonly external: boolean
  /** The pod of this replica. */
  readonly pod: string
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

/** Why a change was not made although nothing stands in its way. */
const RIVAL = 'another writer was faster'

/** A Service with two replicas has one slice for each family of addresses. */
const MAX_SLICES = 10

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
          name: GROUP,
          isServed: true,
          upstream: upstreams.custom && placeOf(upstreams.custom),
          variable: 'UPSTREAM_CUSTOM_METRICS',
        },
      ],
      [
        EXTERNAL,
        {
          name: EXTERNAL_GROUP,
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
        isComplete = (await this.#act(decide(found, group, destination), group)) && isComplete
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

  /**
   * The oldest version comes first, because every adapter has it: if another writer was faster there, it may be an adapter that is
   * being installed, and nothing of its group is taken.
   *
   * @returns `false` if there is more to do
   */
  async #act(decisions: readonly Decision[], group: Group): Promise<boolean> {
    const changes = decisions.flatMap(({ step }) => (step.kind === 'change' ? [step.change] : []))
    let obstacle = await this.#obstacleTo(changes, group)
    for (const decision of decisions.toReversed()) {
      const { step } = decision
      const isChange = step.kind === 'change'
      if (isChange && obstacle === undefined && !(await this.#carryOut(step.change)))
        obstacle = RIVAL
      await this.#reports.report(decision, isChange ? obstacle : undefined)
    }
    return obstacle === undefined
  }

  /** Why the changes of a group must wait: API servers would ask who cannot answer. */
  async #obstacleTo(changes: readonly Change[], group: Group): Promise<string | undefined> {
    const { pod, adapterObstacle } = this.#options
    if (changes.every(({ kind }) => kind === 'remove' || kind === 'release')) return undefined
    const replicas = readyReplicas(await this.#listSlices())
    if (replicas.length === 0) return 'its Service has no ready replica'
    if (!changes.some((change) => isAdoption(change, group))) return undefined
    // Older replicas know no adapter, and would answer that its metrics are not there.
    const older = ofAnotherRollout(replicas, pod)
    if (older !== undefined) return `a replica of another rollout is served still: ${older}`
    const why = adapterObstacle(group.name)
    return why && `the adapter that has it now cannot be asked: ${why}`
  }

  /** @returns `false` if another writer was faster */
  async #carryOut({ kind, object }: Change): Promise<boolean> {
    const { cluster } = this.#options
    if (kind === 'create') return (await cluster.create(object)) !== 'conflict'
    if (kind === 'remove') return (await cluster.delete(object)) !== 'conflict'
    return (await cluster.replace(object)) !== 'conflict'
  }

  async #listSlices(): Promise<readonly ClusterObject[]> {
    const { cluster, namespace, service } = this.#options
    const slices = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      namespace,
      labelSelector: `kubernetes.io/service-name=${service}`,
    }
    return (await cluster.list(slices, { limit: MAX_SLICES })).items
  }
}

function isAdoption({ kind, from }: Change, { upstream }: Group): boolean {
  return kind === 'take over' && upstream !== undefined && isDeepStrictEqual(from, upstream)
}

function placeOf({ namespace, service: name, port }: Target): ServicePlace {
  return { namespace, name, port }
}
