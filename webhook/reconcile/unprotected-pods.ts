// MiniClusters with a sidecar whose lead broker node autoscalers may evict: those that were created before the webhook protected
// pods, or while it did not answer. With the lead broker all of their jobs end.
import { unprotectedEvent } from '../admission/advice/protection-advice.ts'
import type { LookUps } from '../admission/look-ups/look-ups.ts'
import { wantsProtection } from '../injection/protection.ts'
import { readAnnotations } from '../objects/annotations.ts'
import type { LeadBroker, Survey } from './lead-brokers.ts'
import type { Confirmed, Suspicion } from './suspicion.ts'

export interface UnprotectedPodsOptions {
  readonly lookUps: Pick<LookUps, 'find'>
}

export class UnprotectedPods implements Suspicion {
  readonly what = 'node autoscalers may evict the pods of a MiniCluster'
  readonly #options: UnprotectedPodsOptions

  constructor(options: UnprotectedPodsOptions) {
    this.#options = options
  }

  suspects({ leadBrokers, asks }: Survey): readonly LeadBroker[] {
    return leadBrokers.filter(
      ({ namespace, job, isInjected, isExposed, isEnabled }) =>
        isInjected && isExposed && (isEnabled ?? asks(namespace, job.name)),
    )
  }

  async examine({ namespace, job, isEnabled }: LeadBroker): Promise<Confirmed | undefined> {
    const minicluster = await this.#options.lookUps.find({ kind: 'candidate', job }, namespace)
    if (minicluster === undefined || minicluster.metadata.deletionTimestamp) return undefined
    const { metadata, spec } = minicluster
    const { settings } = readAnnotations(spec?.pod?.annotations, metadata.annotations)
    const enabled = isEnabled ?? settings.enabled ?? false
    if (!wantsProtection({ ...settings, enabled })) return undefined
    const event = unprotectedEvent({ name: metadata.name, namespace }, 'the pods')
    return { minicluster, reason: 'Unprotected', event }
  }
}
