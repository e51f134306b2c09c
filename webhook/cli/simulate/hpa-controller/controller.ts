// A HorizontalPodAutoscaler (autoscaling/v2) and its controller, without a cluster: what one sync after the other makes of
// metrics and sizes. Held to the real controller by test/e2e/hpa.e2e.ts, and to what it did then by
// test/metrics/hpa/conformance.test.ts. What needs a cluster is not here: selectors, and a scale that cannot be read or
// written.
import { addEvent, type Dated, type ScaleEvents, within } from './behavior.ts'
import { type Limits, limitsFor } from './limits.ts'
import {
  recommend,
  type Situation,
  type Target,
  type Tolerances,
  targetOf,
  tolerancesOf,
} from './proposal.ts'
import { reasonFor, reasonWithout } from './reason.ts'
import type { HpaSpec } from './spec.ts'

/** Flags of kube-controller-manager. */
export interface HpaOptions {
  /** `--horizontal-pod-autoscaler-tolerance`, 0.1 by default. */
  readonly tolerance?: number
  /** `--horizontal-pod-autoscaler-downscale-stabilization`, 300 by default. */
  readonly downscaleStabilizationSeconds?: number
  /** The feature gate `HPAScaleToZero`, on since Kubernetes 1.37: a rescale says whether it was one to 0. Default: off. */
  readonly scaleToZero?: boolean
}

/** What a sync finds. */
export interface Observation extends Situation {
  /** Milliseconds of any one clock that does not go back. */
  readonly now: number
}

export interface Condition {
  readonly status: boolean
  readonly reason: string
}

/** `status.conditions`; one stays as it is until a sync has something to say of it. */
export interface Conditions {
  readonly AbleToScale?: Condition
  readonly ScalingActive?: Condition
  readonly ScalingLimited?: Condition
  /** Of the last rescale, if `scaleToZero` is on. */
  readonly ScaledToZero?: Condition
}

/** What a sync does. */
export interface Decision {
  /** `spec.replicas` from now on. */
  readonly replicas: number
  /** `status.desiredReplicas`: where metrics fail, what it was before, 0 at first. */
  readonly desiredReplicas: number
  /** What each metric asks for, before any limit; `undefined` where it failed. None if they were not asked. */
  readonly proposals: readonly (number | undefined)[]
  readonly conditions: Conditions
  /** A few words for people. */
  readonly reason: string
}

/** Why a sync does what it does. */
type Because = Pick<Decision, 'reason'> & Partial<Pick<Decision, 'proposals'>>

/** One HPA, with what its controller remembers of it. */
export class Hpa {
  readonly #minReplicas: number
  readonly #maxReplicas: number
  readonly #targets: readonly Target[]
  readonly #tolerances: Tolerances
  readonly #limits: Limits
  readonly #scaleToZero: boolean
  #recommendations: readonly Dated[] | undefined
  #events: ScaleEvents = { scaleUp: [], scaleDown: [] }
  #conditions: Conditions = {}
  #desiredReplicas = 0

  /** @throws RangeError if one of the spec's quantities is none */
  constructor(spec: HpaSpec, options: HpaOptions = {}) {
    const { tolerance = 0.1, downscaleStabilizationSeconds: stabilizationSeconds = 300 } = options
    this.#scaleToZero = options.scaleToZero ?? false
    this.#minReplicas = spec.minReplicas ?? 1
    this.#maxReplicas = spec.maxReplicas
    this.#targets = spec.metrics.map(targetOf)
    this.#tolerances = tolerancesOf(spec.behavior, tolerance)
    this.#limits = limitsFor(spec.behavior, { stabilizationSeconds })
  }

  /** One sync. */
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

  /** Out of bounds no metric is asked. */
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

  /** Does what the metrics ask for, as far as the rules allow. */
  #follow(observation: Observation): Decision {
    const { now, replicas } = observation
    const recommendation = recommend(this.#targets, observation, this.#tolerances)
    const { proposals } = recommendation
    if (recommendation.kind === 'failure') {
      this.#set({ ScalingActive: { status: false, reason: recommendation.reason } })
      return this.#decision(replicas, { proposals, reason: reasonWithout(proposals) })
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
    // What was asked for, whatever was made of it.
    const recent = within(recommendations, { now, windowMs: this.#limits.windowMs })
    this.#recommendations = [...recent, { at: now, replicas: proposal }]
    this.#set({
      AbleToScale: { status: true, reason: outcome.steadiness },
      ScalingActive: { status: true, reason: 'ValidMetricFound' },
      ScalingLimited: { status: outcome.limit !== 'DesiredWithinRange', reason: outcome.limit },
    })
    const because = { proposals, reason: reasonFor({ before: replicas, proposal, outcome }) }
    if (outcome.replicas === replicas) return this.#settle(replicas, because)
    return this.#resize(observation, outcome.replicas, because)
  }

  /** Sets another size, and remembers by how much it changed. */
  #resize({ now, replicas }: Observation, wanted: number, because: Because): Decision {
    this.#set({ AbleToScale: { status: true, reason: 'SucceededRescale' } })
    if (this.#scaleToZero) this.#set({ ScaledToZero: scaledToZero(wanted) })
    const { rules } = this.#limits
    if (rules !== undefined) {
      const direction = wanted > replicas ? 'scaleUp' : 'scaleDown'
      const event = { at: now, replicas: Math.abs(wanted - replicas) }
      const events = addEvent(this.#events[direction], event, rules[direction])
      this.#events = { ...this.#events, [direction]: events }
    }
    return this.#settle(wanted, because)
  }

  #settle(replicas: number, because: Because): Decision {
    this.#desiredReplicas = replicas
    return this.#decision(replicas, because)
  }

  #decision(replicas: number, { proposals = [], reason }: Because): Decision {
    const desiredReplicas = this.#desiredReplicas
    return { replicas, desiredReplicas, proposals, conditions: this.#conditions, reason }
  }

  #set(conditions: Conditions): void {
    this.#conditions = { ...this.#conditions, ...conditions }
  }
}

/** Only minReplicas 0 lets a metric ask for 0 replicas. */
function scaledToZero(replicas: number): Condition {
  return replicas === 0
    ? { status: true, reason: 'ScaledToZero' }
    : { status: false, reason: 'NotScaledToZero' }
}
