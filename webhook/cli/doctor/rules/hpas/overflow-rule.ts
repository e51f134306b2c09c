// A metric that asks for more replicas than 32 bits hold: the controller takes it for a negative number. Judged by what the
// controller says that it has read, with its own arithmetic. Pure.
import { arithmeticOf } from '../../../hpa-controller/arithmetic.ts'
import { toInt32 } from '../../../hpa-controller/int32.ts'
import { toMilli } from '../../../hpa-controller/milli-value.ts'
import { type Hpa, spellHpa } from '../../../input/cluster/hpa.ts'
import { finding } from '../../finding.ts'
import type { HpaRule } from './hpa-rule.ts'

type Part = NonNullable<Hpa['spec']['metrics']>[number]['object' | 'external']
type CurrentPart = NonNullable<NonNullable<Hpa['status']>['currentMetrics']>[number]['object']

export const OVERFLOW_RULE: HpaRule = (hpa, { version }) => {
  const arithmetic = arithmeticOf(version?.minor)
  const { currentMetrics, currentReplicas } = hpa.status ?? {}
  return (hpa.spec.metrics ?? []).flatMap(({ object, external }) => {
    const part = object ?? external
    const read = (currentMetrics ?? []).map((metric) => (object ? metric.object : metric.external))
    const replicas = asked(part, read, currentReplicas ?? 0)
    const isByAverage = part?.target.averageValue !== undefined
    const stored =
      isByAverage && object ? toInt32 : arithmetic[isByAverage ? 'byAverage' : 'byValue']
    if (part === undefined || part === null || stored(replicas) >= 0) return []
    return [
      finding('hpa-overflow', {
        subject: spellHpa(hpa),
        message: `${part.metric.name} asks for ${replicas.toLocaleString('en')} nodes, more than the controller's 32 bits hold: it may shrink to minReplicas`,
        fix: 'make the metric smaller, or its target larger',
      }),
    ]
  })
}

/** How many replicas a metric asks for by its latest value; 0 if there is none, or one that is no amount. */
function asked(part: Part, read: readonly CurrentPart[], currentReplicas: number): number {
  if (part === undefined || part === null) return 0
  const { current } = read.find((one) => one?.metric.name === part.metric.name) ?? {}
  const { value, averageValue } = part.target
  const ratio = averageValue
    ? share(current?.averageValue, averageValue)
    : share(current?.value, value)
  return Number.isFinite(ratio) ? Math.max(0, Math.ceil(ratio * currentReplicas)) : 0
}

type Quantity = string | number | null | undefined

function share(current: Quantity, target: Quantity): number {
  return current && target ? toMilli(current) / toMilli(target) : 0
}
