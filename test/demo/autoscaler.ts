// The demo's HPA: the recommended one with shorter times, and its work in one sync.
import * as v from 'valibot'
import { recommendHpa } from '../../webhook/cli/hpa/recommended-hpa.ts'
import { type Decision, HpaController } from '../../webhook/cli/hpa-controller/controller.ts'
import type { HpaSpec } from '../../webhook/cli/hpa-controller/spec.ts'
import { MiniClusterSource } from '../../webhook/cli/input/files/minicluster-source.ts'
import { readMetric, readSummary } from './metrics.ts'

export const METRIC = 'node_desired_count'

/** Times that are minutes on a cluster are seconds here. */
export const DEMO_TIMES = {
  /** 15 by default. */
  syncSeconds: 3,
  /** 300 in the recommended HPA. */
  stabilizationSeconds: 6,
  /** Period of the policy that at most halves the size: 60 in the recommended HPA. */
  halvingSeconds: 6,
  /** `IDLE_GRACE_SECONDS` of the sidecar: 60 by default. */
  idleGraceSeconds: 4,
} as const

/** The HPA that `flux-metrics hpa` writes for these bounds, with shorter times. */
export function demoHpaSpec(minSize: number, maxSize: number): HpaSpec {
  const spec = { size: minSize, minSize, maxSize, containers: [{}] }
  const minicluster = v.parse(MiniClusterSource, { metadata: { name: 'flux-sample' }, spec })
  const choices = { hasTolerance: true, drains: false }
  const recommended = recommendHpa('flux-framework.org/v1alpha2', minicluster, choices).spec
  const { scaleDown } = recommended.behavior ?? {}
  return {
    ...recommended,
    behavior: {
      ...recommended.behavior,
      scaleDown: {
        ...scaleDown,
        stabilizationWindowSeconds: DEMO_TIMES.stabilizationSeconds,
        policies: [{ type: 'Percent', value: 50, periodSeconds: DEMO_TIMES.halvingSeconds }],
      },
    },
  }
}

/** The HPA's decision and, if it changes the size, the sidecar's reason for this size. */
export interface Sync {
  readonly decision: Decision
  readonly why: string | undefined
}

/** Reads the metric from a sidecar and decides, as the real controller does. */
export class Autoscaler {
  readonly #port: number
  readonly #hpa: HpaController

  constructor(port: number, spec: HpaSpec) {
    this.#port = port
    this.#hpa = new HpaController(spec)
  }

  /** @param replicas the present size; all of its pods are ready */
  async sync(replicas: number): Promise<Sync> {
    const answer = await readMetric(this.#port, METRIC)
    const decision = this.#hpa.decide({
      now: performance.now(),
      replicas,
      statusReplicas: replicas,
      readyPods: replicas,
      metrics: [answer.kind === 'value' ? answer.value : undefined],
    })
    const isChange = decision.replicas !== replicas
    return { decision, why: isChange ? await readSummary(this.#port) : undefined }
  }
}
