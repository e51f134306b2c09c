// The arithmetic of an autoscaling/v2 HorizontalPodAutoscaler with one Object metric of type AverageValue, as far as
// the demo needs it: tolerance, the default scale-up limit, scale-down stabilization, bounds, and holding on errors.

/** What the HPA's spec and its controller's flags would say. */
export interface HpaSpec {
  readonly minReplicas: number
  readonly maxReplicas: number
  /** `target.averageValue`. */
  readonly averageValue: number
  /** `--horizontal-pod-autoscaler-tolerance`, 0.1 by default. */
  readonly tolerance: number
  /** `behavior.scaleDown.stabilizationWindowSeconds`. */
  readonly stabilizationMs: number
  /** Within this time replicas at most double, or grow by 4: the default `behavior.scaleUp`. */
  readonly scaleUpPeriodMs: number
}

/** What the HPA does in one sync, and why. */
export interface Decision {
  readonly replicas: number
  readonly reason: string
}

interface At {
  readonly at: number
  readonly replicas: number
}

/** One HPA. Times are milliseconds of any one clock. */
export class Hpa {
  readonly #spec: HpaSpec
  #recommendations: At[] = []
  #growth: At[] = []

  constructor(spec: HpaSpec) {
    this.#spec = spec
  }

  /**
   * One sync.
   *
   * @param replicas what the scale subresource says now
   * @param metric the value, or `undefined` if the metrics API answered an error: the size is held
   */
  decide(replicas: number, metric: number | undefined, now: number): Decision {
    if (metric === undefined) return { replicas, reason: 'hold: no metric' }
    const proposed = this.#propose(replicas, metric)
    const stabilized = this.#stabilize(replicas, proposed, now)
    const limited = Math.min(stabilized, this.#scaleUpLimit(replicas, now))
    const { minReplicas, maxReplicas } = this.#spec
    const wanted = Math.max(minReplicas, Math.min(maxReplicas, limited))
    if (wanted > replicas) this.#growth.push({ at: now, replicas: wanted - replicas })
    return { replicas: wanted, reason: reasonOf({ replicas, proposed, stabilized, wanted }) }
  }

  #propose(replicas: number, metric: number): number {
    const { averageValue, tolerance } = this.#spec
    const ratio = metric / (averageValue * replicas)
    const within = 1 - tolerance <= ratio && ratio <= 1 + tolerance
    return within ? replicas : Math.ceil(metric / averageValue)
  }

  /** The highest recommendation of the window, so that a dip does not shrink. */
  #stabilize(replicas: number, proposed: number, now: number): number {
    const begin = now - this.#spec.stabilizationMs
    this.#recommendations = this.#recommendations.filter(({ at }) => at > begin)
    this.#recommendations.push({ at: now, replicas: proposed })
    const highest = Math.max(
      ...this.#recommendations.map((recommendation) => recommendation.replicas),
    )
    return proposed >= replicas ? proposed : Math.min(replicas, highest)
  }

  #scaleUpLimit(replicas: number, now: number): number {
    const begin = now - this.#spec.scaleUpPeriodMs
    this.#growth = this.#growth.filter(({ at }) => at > begin)
    const grown = this.#growth.reduce((sum, { replicas: by }) => sum + by, 0)
    const before = replicas - grown
    return Math.max(2 * before, before + 4)
  }
}

function reasonOf(step: {
  replicas: number
  proposed: number
  stabilized: number
  wanted: number
}): string {
  const { replicas, proposed, stabilized, wanted } = step
  if (wanted > replicas)
    return wanted < proposed ? `grow to ${wanted}, on the way to ${proposed}` : `grow to ${wanted}`
  if (wanted < replicas) return `shrink to ${wanted}`
  if (stabilized > proposed) return `hold: stabilizing, then ${proposed}`
  return proposed === replicas ? 'hold: on target' : `hold: ${proposed} is out of bounds`
}
