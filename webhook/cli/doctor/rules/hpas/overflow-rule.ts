// A metric that asks for more replicas than 32 bits hold: the controller takes them for a negative number. Judged by the present
// value with the controller's own arithmetic; the HPA's status says nothing of use while `status.size` of the MiniCluster is 0. Pure.
import { arithmeticOf } from '../../../hpa-controller/arithmetic.ts'
import { toInt32 } from '../../../hpa-controller/int32.ts'
import { toMilli } from '../../../hpa-controller/milli-value.ts'
import { type Hpa, spellHpa } from '../../../input/cluster/hpa.ts'
import { finding } from '../../finding.ts'
import type { HpaRule } from './hpa-rule.ts'

type Target = NonNullable<NonNullable<Hpa['spec']['metrics']>[number]['external']>['target']

export const OVERFLOW_RULE: HpaRule = (hpa, { version, values }) => {
  const { byAverage, byValue } = arithmeticOf(version?.minor)
  return (hpa.spec.metrics ?? []).flatMap(({ object, external }) => {
    const part = object ?? external
    const value = values.get(part?.metric.name ?? '')
    if (part === undefined || part === null || value === undefined) return []
    const { metric, target } = part
    const replicas = askedReplicas(value, target, hpa)
    // Other than an external metric, one of an object is not bounded by average.
    const stored = target.averageValue ? (object ? toInt32 : byAverage) : byValue
    if (stored(replicas) >= 0) return []
    return [
      finding('hpa-overflow', {
        subject: spellHpa(hpa),
        message: `${metric.name} asks for ${replicas.toLocaleString('en')} nodes, more than the 32 bits of the HPA controller hold: it may shrink to minReplicas`,
        fix: 'make the metric smaller, or its target larger',
      }),
    ]
  })
}

/** With a Value as target, for as many ready pods as there are nodes. Without a target: 0. */
function askedReplicas(value: number, { value: total, averageValue }: Target, hpa: Hpa): number {
  const target = averageValue || total
  if (!target) return 0
  const pods = averageValue ? 1 : (hpa.status?.currentReplicas ?? 0)
  return Math.ceil((toMilli(value) / toMilli(target)) * pods)
}
