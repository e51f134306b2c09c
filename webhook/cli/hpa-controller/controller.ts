// The controller of one HorizontalPodAutoscaler (autoscaling/v2), without a cluster: each sync decides on a size from sizes
// and metrics. test/e2e/hpa.e2e.ts compares it with the real controller, and
// test/webhook/cli/hpa-controller/conformance.test.ts with recordings of that. Selectors, and a scale that cannot be
// read or written, need a cluster and are left out.
import { type Arithmetic, arithmeticOf, type Tolerances } from './arithmetic.ts'
import { addEvent, type DatedReplicas, type ScaleEvents, within } from './behavior.ts'
import { type Limits, limitsFor } from './limits.ts'
import { recommend, type SizesAndMetrics, type Target, targetOf, tolerancesOf } from './proposal.ts'
import { reasonFor, reasonForFailure } from './reason.ts'
import type { HpaSpec } from './spec.ts'

/** Flags of kube-controller-manager. */
export interface HpaControllerOptions {
  /** `--horizontal-pod-autoscaler-tolerance`, 0.1 by default. */
  readonly tolerance?: number
  /** `--horizontal-pod-autoscaler-downscale-stabilization`, 300 by default. */
  readonly downscaleStabilizationSeconds?: number
  /** The feature gate `HPAScaleToZero`, on since Kubernetes 1.37: a condition says whether a rescale was to 0. Default: off. */
  readonly scaleToZero?: boolean
  /** Minor version of the controller's Kubernetes 1.x, whose arithmetic differs. Default: the newest. */
  readonly minor?: number
}

/** The state that a sync finds. */
export interface Observation extends SizesAndMetrics {
  /** Milliseconds of a clock that never goes back. */
  readonly now: number
}

export interface Condition {
  readonly status: boolean
  readonly reason: string
}

/** `status.conditions`; a condition stays as it is until a sync sets it. */
export interface Conditions {
  readonly AbleToScale?: Condition
  readonly ScalingActive?: Condition
  readonly ScalingLimited?: Condition
  /** Whether the last rescale was to 0, if `scaleToZero` is on. */
  readonly ScaledToZero?: Condition
}

/** The outcome of a sync. */
export interface Decision {
  /** The new `spec.replicas`. */
  readonly replicas: number
  /** `status.desiredReplicas`: if metrics fail, the value of the sync before; 0 at first. */
  readonly desiredReplicas: number
  /** The proposal of each metric, before any limit; `undefined` if it failed. Empty if no metric was requested. */
  readonly proposals: readonly (number | undefined)[]
  readonly conditions: Conditions
  /** In a few words, such as `grow to 6, on the way to 9`. */
  readonly reason: string
}

/** The reason of a decision, and the proposals behind it. */
type DecisionGrounds = Pick<Decision, 'reason'> & Partial<Pick<Decision, 'proposals'>>

/** Remembers recommendations, changes of size and conditions from sync to sync. */
export class HpaController {
  readonly #minReplicas: number
  readonly #maxReplicas: number
  readonly #targets: readonly Target[]
  readonly #tolerances: Tolerances
  readonly #arithmetic: Arithmetic
  readonly #limits: Limits
  readonly #scaleToZero: boolean
  #recommendations: readonly DatedReplicas[] | undefined
  #events: ScaleEvents = { scaleUp: [], scaleDown: [] }
  #conditions: Conditions = {}
  #desiredReplicas = 0

  /** @throws RangeError if a quantity of the spec cannot be read */
  constructor(spec: HpaSpec, options: HpaControllerOptions = {}) {
    const { tolerance = 0.1, downscaleStabilizationSeconds: stabilizationSeconds = 300 } = options
    this.#scaleToZero = options.scaleToZero ?? false
    this.#minReplicas = spec.minReplicas ?? 1
    this.#maxReplicas = spec.maxReplicas
    this.#targets = spec.metrics.map(targetOf)
    this.#tolerances = tolerancesOf(spec.behavior, tolerance)
    this.#arithmetic = arithmeticOf(options.minor)
    this.#limits = limitsFor(spec.behavior, { stabilizationSeconds })
  }

  /** Runs one sync. */
  decide(observation: Observation): Decision {
    const { now, replicas } = observation
    this.#recommendations ??= [{ at: now, replicas }]
    this.#set({ AbleToScale: { status: true, reason: 'SucceededGetScale' } })
    if (replicas === 0) {
      this.#set({ ScalingActive: { status: false, reason: 'ScalingDisabled' } })
      return this.#settle(0, { reason: 'hold: scaling is disabled at size 0' })
    }
    return this.#returnToBounds(observation) ?? this.#follow(observation)
  }

  /** A size outside its bounds is corrected without requesting metrics. */
  #returnToBounds(observation: Observation): Decision | undefined {
    const { replicas } = observation
    const [min, max] = [this.#minReplicas, this.#maxReplicas]
    if (replicas > max) {
      const reason = `shrink to ${max}: ${replicas} is above maxReplicas`
      return this.#resize(observation, max, { reason })
    }
    if (replicas < min) {
      const reason = `grow to ${min}: ${replicas} is below minReplicas`
      return this.#resize(observation, min, { reason })
    }
    return undefined
  }

  /** Follows the metrics as far as the rules allow. */
  #follow(observation: Observation): Decision {
    const { now, replicas } = observation
    const recommendation = recommend(this.#targets, observation, this.#tolerances, this.#arithmetic)
    const { proposals } = recommendation
    if (recommendation.kind === 'failure') {
      this.#set({ ScalingActive: { status: false, reason: recommendation.reason } })
      return this.#decision(replicas, { proposals, reason: reasonForFailure(proposals) })
    }
    const proposal = recommendation.replicas
    const recommendations = this.#recommendations ?? []
    const outcome = this.#limits.apply({
      now,
      replicas,
      proposal,
      recommendations,
      events: this.#events,
      minReplicas: this.#minReplicas,
      maxReplicas: this.#maxReplicas,
    })
    // Recommendations count as they were made, not as they were limited.
    const recent = within(recommendations, { now, windowMs: this.#limits.windowMs })
    this.#recommendations = [...recent, { at: now, replicas: proposal }]
    this.#set({
      AbleToScale: { status: true, reason: outcome.ableToScale },
      ScalingActive: { status: true, reason: 'ValidMetricFound' },
      ScalingLimited: { status: outcome.limit !== 'DesiredWithinRange', reason: outcome.limit },
    })
    const grounds = { proposals, reason: reasonFor({ before: replicas, proposal, outcome }) }
    if (outcome.replicas === replicas) return this.#settle(replicas, grounds)
    return this.#resize(observation, outcome.replicas, grounds)
  }

  /** Sets a new size, and remembers the change. */
  #resize({ now, replicas }: Observation, size: number, grounds: DecisionGrounds): Decision {
    this.#set({ AbleToScale: { status: true, reason: 'SucceededRescale' } })
    if (this.#scaleToZero) this.#set({ ScaledToZero: scaledToZero(size) })
    const { rules } = this.#limits
    if (rules !== undefined) {
      const direction = size > replicas ? 'scaleUp' : 'scaleDown'
      const event = { at: now, replicas: Math.abs(size - replicas) }
      const events = addEvent(this.#events[direction], event, rules[direction])
      this.#events = { ...this.#events, [direction]: events }
    }
    return this.#settle(size, grounds)
  }

  #settle(replicas: number, grounds: DecisionGrounds): Decision {
    this.#desiredReplicas = replicas
    return this.#decision(replicas, grounds)
  }

  #decision(replicas: number, { proposals = [], reason }: DecisionGrounds): Decision {
    const desiredReplicas = this.#desiredReplicas
    return { replicas, desiredReplicas, proposals, conditions: this.#conditions, reason }
  }

  #set(conditions: Conditions): void {
    this.#conditions = { ...this.#conditions, ...conditions }
  }
}

/** A rescale to 0 is possible only with minReplicas 0. */
function scaledToZero(replicas: number): Condition {
  return replicas === 0
    ? { status: true, reason: 'ScaledToZero' }
    : { status: false, reason: 'NotScaledToZero' }
}
