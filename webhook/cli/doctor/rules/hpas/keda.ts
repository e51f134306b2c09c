// HPAs that KEDA makes from a ScaledObject. KEDA writes one again if it is changed, and makes it again if it is deleted, so what is
// wrong is mended in the ScaledObject. Pure.
import { type Hpa, spellHpa } from '../../../input/cluster/hpa.ts'
import { type Finding, finding } from '../../finding.ts'
import type { HpaRule } from './hpa-rule.ts'

/** KEDA's label of its HPAs: the name of the ScaledObject. */
const LABEL = 'scaledobject.keda.sh/name'

export const KEDA_RULES: readonly HpaRule[] = [
  (hpa) => {
    if (scaledObjectOf(hpa) === undefined) return []
    const message = 'KEDA asks for its metric: whether that is a size cannot be seen here'
    const fix =
      'see that the url ends in /node_desired_count, and that minReplicaCount is not left out: its default is 0, at which jobs end (docs/how-to/KEDA.md)'
    return [finding('hpa-of-keda', { subject: spellHpa(hpa), message, fix })]
  },
]

/** Fields of a ScaledObject, by those of the HPA. Longer names first. */
const FIELDS = [
  ['behavior', 'advanced.horizontalPodAutoscalerConfig.behavior'],
  ['minReplicas', 'minReplicaCount'],
  ['maxReplicas', 'maxReplicaCount'],
] as const

/** The finding about an HPA, with what to do in its ScaledObject if it has one. */
export function mendedInScaledObject(found: Finding, hpa: Hpa): Finding {
  const name = scaledObjectOf(hpa)
  if (name === undefined || found.fix === undefined) return found
  const fix = FIELDS.reduce((text, [from, to]) => text.replaceAll(from, to), found.fix)
  return { ...found, fix: `in ScaledObject ${name}, from which KEDA makes this HPA: ${fix}` }
}

/** The commands that delete HPAs for good. */
export function deletionOfHpas(hpas: readonly Hpa[], namespace: string): string {
  const own = hpas.filter((hpa) => scaledObjectOf(hpa) === undefined)
  const names = own.map(({ metadata }) => metadata.name)
  const made = hpas.flatMap((hpa) => scaledObjectOf(hpa) ?? [])
  return [
    ...(names.length > 0 ? [`kubectl delete hpa -n ${namespace} ${names.join(' ')}`] : []),
    ...(made.length > 0 ? [`kubectl delete scaledobject -n ${namespace} ${made.join(' ')}`] : []),
  ].join(' && ')
}

function scaledObjectOf({ metadata }: Hpa): string | undefined {
  return metadata.labels?.[LABEL]
}
