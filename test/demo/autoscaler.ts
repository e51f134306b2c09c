// The demo's HPA: the recommended one in a hurry, and what it does in a sync.
import * as v from 'valibot'
import { recommendHpa } from '../../webhook/cli/hpa/recommended-hpa.ts'
import { MiniClusterSource } from '../../webhook/cli/input/minicluster-source.ts'
import {
  type Decision,
  HpaController,
} from '../../webhook/cli/simulate/hpa-controller/controller.ts'
import type { HpaSpec } from '../../webhook/cli/simulate/hpa-controller/spec.ts'
import { readMetric, readSummary } from './metrics.ts'

export const METRIC = 'node_desired_count'

/** What takes minutes in a cluster takes seconds here. */
export const HURRY = {
  /** 15 by default. */
  syncSeconds: 3,
  /** 300 in the recommended HPA. */
  stabilizationSeconds: 6,
  /** Of the policy that halves the size at most: 60 in the recommended HPA. */
  halvingSeconds: 6,
  /** `IDLE_GRACE_SECONDS` of the sidecar: 60 by default. */
  idleGraceSeconds: 4,
} as const

/** `flux-metrics hpa` of a MiniCluster with these bounds, with shorter times. */
export function hurriedSpec(minSize: number, maxSize: number): HpaSpec {
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
        stabilizationWindowSeconds: HURRY.stabilizationSeconds,
        policies: [{ type: 'Percent', value: 50, periodSeconds: HURRY.halvingSeconds }],
      },
    },
  }
}

/** What the HPA does, and, if it changes the size, what the sidecar says of it. */
export interface Sync {
  readonly decision: Decision
  readonly why: string | undefined
}

/** Reads the metric of a sidecar as the real controller does, and decides. */
export class Autoscaler {
  readonly #port: number
  readonly #hpa: HpaController

  constructor(port: number, spec: HpaSpec) {
    this.#port = port
    this.#hpa = new HpaController(spec)
  }

  /** @param replicas the present size, all of it ready */
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
