// Lead brokers that should have a sidecar and have none: why, by the decision that an admission would make now.
import { decide, preselect } from '../admission/decision.ts'
import type { LookUps } from '../admission/look-ups/look-ups.ts'
import { prerequisitesOf } from '../admission/obstacle.ts'
import type { SidecarOptions } from '../injection/container.ts'
import { quotaWithout } from '../injection/resources/resource-quota.ts'
import type { Cluster } from '../kubernetes/cluster.ts'
import { hasEnded, isGoing, toPod } from '../objects/pod.ts'
import { announceMissing } from './announcement.ts'
import type { LeadBroker, Survey } from './lead-brokers.ts'
import type { Confirmed, Suspicion } from './suspicion.ts'

/** Namespaces in which nothing is injected (manifests/base/mutating-webhook.yaml), beside the webhook's own. */
const LEFT_OUT = ['kube-system', 'kube-public', 'kube-node-lease']

export interface MissingSidecarOptions {
  readonly cluster: Pick<Cluster, 'read'>
  readonly lookUps: Pick<LookUps, 'gather'>
  /** As for an admission: what a sidecar would get now. */
  readonly sidecar: () => SidecarOptions
  /** Of the webhook. */
  readonly namespace: string
  readonly minAgeMs: number
}

export class MissingSidecar implements Suspicion {
  readonly what = 'a lead broker lacks its sidecar'
  readonly #options: MissingSidecarOptions
  readonly #leftOut: ReadonlySet<string>

  constructor(options: MissingSidecarOptions) {
    this.#options = options
    this.#leftOut = new Set([...LEFT_OUT, options.namespace])
  }

  suspects({ leadBrokers, asks }: Survey): readonly LeadBroker[] {
    const before = Date.now() - this.#options.minAgeMs
    return leadBrokers.filter(
      ({ namespace, job, createdAt, isInjected, isEnabled }) =>
        !isInjected &&
        createdAt <= before &&
        !this.#leftOut.has(namespace) &&
        (isEnabled ?? asks(namespace, job.name)),
    )
  }

  async examine(lead: LeadBroker): Promise<Confirmed | undefined> {
    const { cluster, lookUps, sidecar } = this.#options
    const { namespace, name, uid } = lead
    const pod = toPod(await cluster.read({ apiVersion: 'v1', kind: 'Pod', namespace, name }))
    if (pod === undefined || pod.metadata.uid !== uid || isGoing(pod) || hasEnded(pod))
      return undefined
    const candidate = preselect(pod)
    if (candidate.kind === 'skip') return undefined
    const looked = await lookUps.gather(candidate, namespace)
    const { minicluster, policies } = looked
    if (minicluster === undefined || isGoing(minicluster)) return undefined
    // The next pod takes the place of this one, also in the quotas.
    const quotas = policies.quotas.map((quota) => quotaWithout(quota, pod))
    const later = { ...looked, policies: { ...policies, quotas } }
    const { decision } = decide(pod, later, prerequisitesOf(sidecar()))
    const announcement = announceMissing(lead, decision)
    return announcement && { ...announcement, minicluster }
  }
}
