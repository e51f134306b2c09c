// From the size that the metrics ask for to the size that the HPA sets: it is stabilized by earlier recommendations, limited
// in speed, and kept within minReplicas and maxReplicas. An HPA with `behavior` and one without follow different rules. Pure.
import {
  type CompleteRules,
  type DatedReplicas,
  limitOf,
  type PolicyInput,
  rulesFor,
  within,
} from './behavior.ts'
import { toInt32 } from './int32.ts'
import type { Behavior } from './spec.ts'

/** The size to set, with the reasons of the conditions AbleToScale and ScalingLimited. */
export interface Outcome {
  readonly replicas: number
  /** The stabilized size, before any limit. */
  readonly stabilized: number
  readonly ableToScale: 'ReadyForNewScale' | 'ScaleUpStabilized' | 'ScaleDownStabilized'
  readonly limit:
    | 'DesiredWithinRange'
    | 'ScaleUpLimit'
    | 'ScaleDownLimit'
    | 'TooManyReplicas'
    | 'TooFewReplicas'
}

/** A size that the metrics ask for, and the state that limits it. */
export interface LimitInput extends PolicyInput {
  readonly minReplicas: number
  readonly maxReplicas: number
  /** The size that the metrics ask for. */
  readonly proposal: number
  /** Sizes that they asked for earlier, and the size at the first sync. */
  readonly recommendations: readonly DatedReplicas[]
}

export interface Limits {
  /** Older recommendations are not needed. */
  readonly windowMs: number
  /** They limit the speed of changes; `undefined` without `behavior`, where no limit depends on earlier changes. */
  readonly rules: BehaviorRules | undefined
  apply(input: LimitInput): Outcome
}

interface BehaviorRules {
  readonly scaleUp: CompleteRules
  readonly scaleDown: CompleteRules
}

/** @param stabilizationSeconds the controller's default window for scaling down */
export function limitsFor(
  behavior: Behavior | undefined,
  { stabilizationSeconds }: { readonly stabilizationSeconds: number },
): Limits {
  if (behavior === undefined) {
    const windowMs = stabilizationSeconds * 1000
    return { windowMs, rules: undefined, apply: (input) => applyDefaults(input, windowMs) }
  }
  const rules = {
    scaleUp: rulesFor('scaleUp', behavior.scaleUp, { stabilizationSeconds: 0 }),
    scaleDown: rulesFor('scaleDown', behavior.scaleDown, {
      stabilizationSeconds: Math.trunc(stabilizationSeconds),
    }),
  }
  const windowMs = Math.max(rules.scaleUp.stabilizationMs, rules.scaleDown.stabilizationMs)
  return { windowMs, rules, apply: (input) => applyBehavior(input, rules) }
}

/** The largest growth of an HPA without `behavior` in one sync. */
const GROWTH = { factor: 2, minimum: 4 } as const

/** Takes the highest recommendation of the window, even if that one is above the present size. Each sync limits growth. */
function applyDefaults(
  { now, replicas, proposal, recommendations, minReplicas, maxReplicas }: LimitInput,
  windowMs: number,
): Outcome {
  const stabilized = Math.max(proposal, ...replicasIn(recommendations, { now, windowMs }))
  const outcome = {
    stabilized,
    ableToScale: stabilized === proposal ? 'ReadyForNewScale' : 'ScaleDownStabilized',
  } as const
  if (stabilized < minReplicas) {
    return { ...outcome, replicas: minReplicas, limit: 'TooFewReplicas' }
  }
  const fastest = toInt32(Math.max(GROWTH.factor * replicas, GROWTH.minimum))
  const highest = Math.min(maxReplicas, fastest)
  if (stabilized <= highest) {
    return { ...outcome, replicas: stabilized, limit: 'DesiredWithinRange' }
  }
  const limit = maxReplicas > fastest ? 'ScaleUpLimit' : 'TooManyReplicas'
  return { ...outcome, replicas: highest, limit }
}

function applyBehavior(input: LimitInput, rules: BehaviorRules): Outcome {
  const { replicas, proposal } = input
  const stabilized = stabilize(input, rules)
  const held = proposal >= replicas ? 'ScaleUpStabilized' : 'ScaleDownStabilized'
  const ableToScale = stabilized === proposal ? 'ReadyForNewScale' : held
  return { stabilized, ableToScale, ...limitSpeed(input, stabilized, rules) }
}

/** Grows to the lowest recommendation of the window of scaleUp; shrinks to the highest of the window of scaleDown. */
function stabilize(
  { now, replicas, proposal, recommendations }: LimitInput,
  { scaleUp, scaleDown }: BehaviorRules,
): number {
  const recent = ({ stabilizationMs: windowMs }: CompleteRules) =>
    replicasIn(recommendations, { now, windowMs })
  const lowest = Math.min(proposal, ...recent(scaleUp))
  const highest = Math.max(proposal, ...recent(scaleDown))
  return Math.min(Math.max(replicas, lowest), highest)
}

/** Never turns a growth into a shrink or the reverse, even if the policy's period saw more change than the policy allows. */
function limitSpeed(
  input: LimitInput,
  stabilized: number,
  rules: BehaviorRules,
): Pick<Outcome, 'replicas' | 'limit'> {
  const { replicas, minReplicas, maxReplicas } = input
  if (stabilized > replicas) {
    const fastest = Math.max(replicas, limitOf('scaleUp', rules.scaleUp, input))
    const limit = maxReplicas > fastest ? 'ScaleUpLimit' : 'TooManyReplicas'
    const highest = Math.min(maxReplicas, fastest)
    if (stabilized > highest) return { replicas: highest, limit }
  }
  if (stabilized < replicas) {
    const fastest = Math.min(replicas, limitOf('scaleDown', rules.scaleDown, input))
    const limit = minReplicas < fastest ? 'ScaleDownLimit' : 'TooFewReplicas'
    const lowest = Math.max(minReplicas, fastest)
    if (stabilized < lowest) return { replicas: lowest, limit }
  }
  return { replicas: stabilized, limit: 'DesiredWithinRange' }
}

function replicasIn(
  recommendations: readonly DatedReplicas[],
  window: { readonly now: number; readonly windowMs: number },
): readonly number[] {
  return within(recommendations, window).map(({ replicas }) => replicas)
}
