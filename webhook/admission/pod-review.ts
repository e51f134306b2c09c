// One review of a pod whose MiniCluster was looked up: the sidecar that it gets, the repair of one, or why neither, and what its
// user is told. Pure.
import { CONTAINER_NAME } from '../contract.ts'
import type { SidecarOptions } from '../injection/container.ts'
import { applyTo } from '../injection/json-patch.ts'
import { patchFor } from '../injection/patch.ts'
import type { Plan } from '../injection/plan.ts'
import type { Repair } from '../injection/repair.ts'
import type { Pod } from '../objects/pod.ts'
import { protectionEvents } from './advice/protection-advice.ts'
import { adviseOnSpec } from './advice/spec-advice.ts'
import { type Decided, decide, type LookedUp } from './decision.ts'
import { prerequisitesOf } from './obstacle.ts'
import { nameOf, type Outcome, REPAIRED, skipped, warningEvents } from './outcome.ts'

export interface PodReviewOptions {
  readonly sidecar: SidecarOptions
  /** Why no HPA can read the metrics of a MiniCluster. */
  readonly adviseOnReach: (minicluster: Plan['minicluster']) => readonly string[]
}

/** @throws Error if the patch does not apply, which is a defect */
export function judgePod(pod: Pod, found: LookedUp, options: PodReviewOptions): Outcome {
  const { minicluster } = found
  const { decision, warnings } = decide(pod, found, prerequisitesOf(options.sidecar))
  switch (decision.kind) {
    case 'skip':
      return skipped(decision, { object: nameOf(pod), warnings, minicluster })
    case 'repair':
      return repaired(pod, decision, { warnings, minicluster })
    case 'inject':
      return injected(pod, decision, { warnings, minicluster, ...options })
  }
}

type Context = Pick<Decided, 'warnings'> & Pick<LookedUp, 'minicluster'>

function injected(
  pod: Pod,
  plan: Plan,
  { warnings, minicluster, sidecar, adviseOnReach }: Context & PodReviewOptions,
): Outcome {
  const {
    scheduler = [],
    bursting = [],
    size = [],
    kueue = [],
  } = minicluster === undefined ? {} : adviseOnSpec(minicluster)
  const unreached = minicluster === undefined ? [] : adviseOnReach(plan.minicluster)
  const patch = patchFor(pod, plan, sidecar)
  applyTo(pod, patch)
  const how = plan.native ? 'a native sidecar' : 'an ordinary container'
  const name = nameOf(pod)
  const message = `Added container "${CONTAINER_NAME}" to pod ${name} as ${how} for the socket ${plan.socket.path}`
  return {
    decision: 'inject',
    reason: 'Enabled',
    why: undefined,
    object: name,
    patch,
    warnings: [...warnings, ...scheduler, ...bursting, ...size, ...kueue, ...unreached],
    minicluster,
    events: [
      { type: 'Normal', reason: 'MetricsInjected', message },
      ...protectionEvents(pod.metadata.annotations, plan),
      ...warningEvents('MetricsAnnotations', warnings),
      ...warningEvents('MetricsScheduler', scheduler),
      ...warningEvents('MetricsBursting', bursting),
      ...warningEvents('MetricsSize', size),
      ...warningEvents('MetricsKueue', kueue),
      ...warningEvents('MetricsUnreached', unreached),
    ],
  }
}

/** A pod that the API server asks about again, because another webhook has changed it. */
function repaired(pod: Pod, { patch }: Repair, { warnings, minicluster }: Context): Outcome {
  applyTo(pod, patch)
  return {
    decision: 'inject',
    reason: 'Repaired',
    why: undefined,
    object: nameOf(pod),
    patch,
    warnings: [...warnings, REPAIRED],
    minicluster,
    events: warningEvents('MetricsRepaired', [REPAIRED]),
  }
}
