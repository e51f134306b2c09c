// How fast an HPA follows its metric: its tolerance, and its rules for growth and shrinking. Pure.
import { isWithinTolerance } from '#scaling/hpa-tolerance.ts'
import { isSince } from '../../../../kubernetes/server-version.ts'
import { TOLERANCE_SINCE } from '../../../hpa/recommended-hpa.ts'
import { type HpaRules, passesTolerance, spellHpa } from '../../../input/cluster/hpa.ts'
import { finding } from '../../finding.ts'
import type { HpaRule } from './hpa-rule.ts'

export const BEHAVIOR_RULES: readonly HpaRule[] = [
  (hpa, { version }) => {
    if (passesTolerance(hpa, 'scaleUp') || !ignoresOne(hpa.spec.maxReplicas)) return []
    const canSet = version === undefined || isSince(version, TOLERANCE_SINCE)
    return [
      finding('hpa-tolerance', {
        subject: spellHpa(hpa),
        message: `without a tolerance it ignores a growth of up to 10 %: from 10 nodes on, a job that needs one more waits for ever`,
        fix: canSet
          ? 'set tolerance 0 in behavior.scaleUp and behavior.scaleDown'
          : 'follow node_desired_compensated_count: before Kubernetes 1.35 an HPA cannot set its tolerance',
      }),
    ]
  },

  (hpa) => {
    if (hpa.spec.behavior?.scaleUp?.selectPolicy !== 'Disabled') return []
    const message = 'behavior.scaleUp is Disabled: the MiniCluster never grows'
    const fix = 'remove selectPolicy from behavior.scaleUp'
    return [finding('hpa-growth-off', { subject: spellHpa(hpa), message, fix })]
  },

  (hpa) => {
    const { minReplicas, maxReplicas, behavior } = hpa.spec
    const rules = behavior?.scaleUp
    const from = Math.max(1, minReplicas ?? 1)
    if (rules?.selectPolicy === 'Disabled' || reached(from, rules) >= maxReplicas) return []
    return [
      finding('hpa-growth-slow', {
        subject: spellHpa(hpa),
        message: `it grows from ${from} to ${reached(from, rules)} nodes at once, and to ${maxReplicas} in several steps: a job starts only with all of its nodes`,
        fix: `set one policy in behavior.scaleUp: type Pods, value ${maxReplicas}, periodSeconds 15`,
      }),
    ]
  },

  (hpa, { drains }) => {
    const { scaleDown } = hpa.spec.behavior ?? {}
    const seconds = scaleDown?.stabilizationWindowSeconds ?? DEFAULT_WINDOW
    if (drains || scaleDown?.selectPolicy === 'Disabled' || seconds >= LEAST_WINDOW) return []
    return [
      finding('hpa-shrinks-at-once', {
        subject: spellHpa(hpa),
        message: `behavior.scaleDown.stabilizationWindowSeconds is ${seconds}, without drains: a job that starts while the size falls loses its node`,
        fix: 'set it to 300, or annotation flux-metrics/drain=true and 60',
      }),
    ]
  },
]

/** That of the controller. */
const DEFAULT_WINDOW = 300

/** Pods that are told to end stay up for 30 s, and an HPA asks every 15 s. */
const LEAST_WINDOW = 60

/** Whether the default tolerance keeps an HPA from one node more, at some size up to its maximum. */
function ignoresOne(maxReplicas: number): boolean {
  return maxReplicas > 1 && isWithinTolerance(maxReplicas, maxReplicas - 1)
}

const DEFAULT_POLICIES = [
  { type: 'Percent', value: 100 },
  { type: 'Pods', value: 4 },
] as const

/** The size after one step. */
function reached(from: number, rules: HpaRules): number {
  const policies = rules?.policies?.length ? rules.policies : DEFAULT_POLICIES
  const sizes = policies.map(({ type, value }) =>
    type === 'Percent' ? Math.ceil(from * (1 + value / 100)) : from + value,
  )
  return rules?.selectPolicy === 'Min' ? Math.min(...sizes) : Math.max(...sizes)
}
