// From what the metrics ask for to what the HPA sets: steadied by what was asked for before, limited in speed and to
// minReplicas … maxReplicas. With `behavior` and without it, which are two different sets of rules. Pure.
import { type Dated, limitOf, type Pace, type Rules, rulesFor, within } from './behavior.ts'
import { toInt32 } from './int32.ts'
import type { Behavior } from './spec.ts'

/** What was made of what the metrics ask for, with the reasons of AbleToScale and of ScalingLimited. */
export interface Outcome {
  readonly replicas: number
  /** What was asked for, steadied, before any limit. */
  readonly wanted: number
  readonly steadiness: 'ReadyForNewScale' | 'ScaleUpStabilized' | 'ScaleDownStabilized'
  readonly limit:
    | 'DesiredWithinRange'
    | 'ScaleUpLimit'
    | 'ScaleDownLimit'
    | 'TooManyReplicas'
    | 'TooFewReplicas'
}

export interface Circumstances extends Pace {
  readonly minReplicas: number
  readonly maxReplicas: number
  /** What the metrics ask for. */
  readonly proposal: number
  /** What they asked for earlier, and the size that the HPA found at first. */
  readonly recommendations: readonly Dated[]
}

export interface Limits {
  /** For how long recommendations matter. */
  readonly windowMs: number
  /** By direction, to limit the speed; `undefined` where nothing depends on earlier changes. */
  readonly rules: BehaviorRules | undefined
  apply(circumstances: Circumstances): Outcome
}

interface BehaviorRules {
  readonly scaleUp: Rules
  readonly scaleDown: Rules
}

/** @param stabilizationSeconds the controller's window for scaling down */
export function limitsFor(
  behavior: Behavior | undefined,
  { stabilizationSeconds }: { readonly stabilizationSeconds: number },
): Limits {
  if (behavior === undefined) {
    const windowMs = stabilizationSeconds * 1000
    return { windowMs, rules: undefined, apply: (given) => applyDefaults(given, windowMs) }
  }
  const rules = {
    scaleUp: rulesFor('scaleUp', behavior.scaleUp, { stabilizationSeconds: 0 }),
    scaleDown: rulesFor('scaleDown', behavior.scaleDown, {
      stabilizationSeconds: Math.trunc(stabilizationSeconds),
    }),
  }
  const windowMs = Math.max(rules.scaleUp.stabilizationMs, rules.scaleDown.stabilizationMs)
  return { windowMs, rules, apply: (given) => applyBehavior(given, rules) }
}

/** Without `behavior` an HPA grows at most to this in one sync. */
const GROWTH = { factor: 2, minimum: 4 } as const

/** The highest recommendation of the window, even where that is a growth; in each sync a limit to growing. */
function applyDefaults(
  { now, replicas, proposal, recommendations, minReplicas, maxReplicas }: Circumstances,
  windowMs: number,
): Outcome {
  const wanted = Math.max(proposal, ...replicasIn(recommendations, { now, windowMs }))
  const steadied = {
    wanted,
    steadiness: wanted === proposal ? 'ReadyForNewScale' : 'ScaleDownStabilized',
  } as const
  if (wanted < minReplicas) return { ...steadied, replicas: minReplicas, limit: 'TooFewReplicas' }
  const fastest = toInt32(Math.max(GROWTH.factor * replicas, GROWTH.minimum))
  const highest = Math.min(maxReplicas, fastest)
  if (wanted <= highest) return { ...steadied, replicas: wanted, limit: 'DesiredWithinRange' }
  const limit = maxReplicas > fastest ? 'ScaleUpLimit' : 'TooManyReplicas'
  return { ...steadied, replicas: highest, limit }
}

function applyBehavior(circumstances: Circumstances, rules: BehaviorRules): Outcome {
  const { replicas, proposal } = circumstances
  const wanted = steady(circumstances, rules)
  const stabilized = proposal >= replicas ? 'ScaleUpStabilized' : 'ScaleDownStabilized'
  const steadiness = wanted === proposal ? 'ReadyForNewScale' : stabilized
  return { wanted, steadiness, ...limitSpeed(circumstances, wanted, rules) }
}

/** Grows to the lowest recommendation of the one window, shrinks to the highest of the other. */
function steady(
  { now, replicas, proposal, recommendations }: Circumstances,
  { scaleUp, scaleDown }: BehaviorRules,
): number {
  const recent = ({ stabilizationMs: windowMs }: Rules) =>
    replicasIn(recommendations, { now, windowMs })
  const lowest = Math.min(proposal, ...recent(scaleUp))
  const highest = Math.max(proposal, ...recent(scaleDown))
  return Math.min(Math.max(replicas, lowest), highest)
}

/** Never in the other direction, even where a policy's period saw more of a change than the policy allows. */
function limitSpeed(
  circumstances: Circumstances,
  wanted: number,
  rules: BehaviorRules,
): Pick<Outcome, 'replicas' | 'limit'> {
  const { replicas, minReplicas, maxReplicas } = circumstances
  if (wanted > replicas) {
    const fastest = Math.max(replicas, limitOf('scaleUp', rules.scaleUp, circumstances))
    const limit = maxReplicas > fastest ? 'ScaleUpLimit' : 'TooManyReplicas'
    const highest = Math.min(maxReplicas, fastest)
    if (wanted > highest) return { replicas: highest, limit }
  }
  if (wanted < replicas) {
    const fastest = Math.min(replicas, limitOf('scaleDown', rules.scaleDown, circumstances))
    const limit = minReplicas < fastest ? 'ScaleDownLimit' : 'TooFewReplicas'
    const lowest = Math.max(minReplicas, fastest)
    if (wanted < lowest) return { replicas: lowest, limit }
  }
  return { replicas: wanted, limit: 'DesiredWithinRange' }
}

function replicasIn(
  recommendations: readonly Dated[],
  window: { readonly now: number; readonly windowMs: number },
): readonly number[] {
  return within(recommendations, window).map(({ replicas }) => replicas)
}
