// The external metrics API, where an HPA of the MiniCluster follows a metric there. Pure.
import { readAnnotations } from '../../../objects/annotations.ts'
import { type Check, type Verdict, verdict } from '../check.ts'
import type { Facts } from '../facts/facts.ts'
import { knownOf } from '../facts/reading.ts'
import { spellTarget } from '../facts/service.ts'
import { finding } from '../finding.ts'
import { hpasOf, isExternal } from './hpas/hpa-checks.ts'
import { spellMiniCluster } from './minicluster-checks.ts'

export const EXTERNAL_CHECK: Check = {
  name: 'external-metrics',
  scope: 'minicluster',
  needs: ['minicluster', 'annotations'],
  examine: externalVerdict,
}

const SWITCH =
  'install components/external (docs/how-to/EXTERNAL-METRICS.md), or follow an Object metric'

function externalVerdict(facts: Facts): Verdict {
  const { external, minicluster, autoscaling } = facts
  const fine = 'external metrics are served, or its HPA needs none'
  if (autoscaling.hpas.kind !== 'read') return verdict(fine, [], [autoscaling.hpas])
  if (!hpasOf(facts).some(isExternal)) return verdict(fine, [])
  const subject = 'APIService v1beta1.external.metrics.k8s.io'
  const { used, document } = external
  if (used.kind === 'unread') return verdict(fine, [], [used])
  if (used.kind === 'absent') {
    const message = 'it is not there, and an HPA follows an external metric'
    return verdict(fine, [finding('external-api-absent', { subject, message, fix: SWITCH })])
  }
  const { topology, place, unavailable } = used.value
  const where = spellTarget(place)
  if (topology?.isForeign !== false) {
    const message = `it leads to ${where}, which is another adapter, and an HPA follows an external metric of ours`
    const fix = 'follow an Object metric: flux-metrics hpa prints such an HPA'
    return verdict(fine, [finding('external-api-foreign', { subject, message, fix })])
  }
  if (document.kind === 'unread' && document.isForbidden) return verdict(fine, [], [document])
  if (document.kind !== 'read') {
    const message = `the API server gets no answer from ${where}: ${unavailable ?? document.why}`
    const fix = 'see the log of the pods behind it'
    return verdict(fine, [finding('external-api-unavailable', { subject, message, fix })])
  }
  const found = knownOf(minicluster.found)
  if (found === undefined) return verdict(fine, [], [minicluster.found])
  const { metadata, spec } = found.minicluster
  const { settings } = readAnnotations(spec?.pod?.annotations, metadata.annotations)
  if (settings.externalMetrics === true) return verdict(fine, [])
  const { namespace, name } = minicluster
  return verdict(fine, [
    finding('external-not-enabled', {
      subject: spellMiniCluster(minicluster),
      message:
        'annotation flux-metrics/external-metrics is not "true", and an HPA follows an external metric',
      fix: `kubectl annotate minicluster -n ${namespace} ${name} flux-metrics/external-metrics=true --overwrite, and create its index-0 pod again, which ends its jobs`,
    }),
  ])
}
