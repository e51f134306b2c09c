// Runs cases on the real controller, all at once, and waits until each can be judged.
import { setTimeout as pause } from 'node:timers/promises'
import type { V2HorizontalPodAutoscaler } from '@kubernetes/client-node'
import type { HpaControllerOptions } from '../../../webhook/cli/hpa-controller/controller.ts'
import { compare, type Observed, type Verdict } from '../../support/hpa-conformance.ts'
import { isMiniCluster, MINICLUSTERS } from '../../support/minicluster.ts'
import type { Cluster } from './cluster.ts'
import { observe } from './hpa-evidence.ts'
import { createAll, createTargets, hpaOf, type NamedCase } from './hpa-objects.ts'
import { record } from './hpa-recorder.ts'
import type { HpaServer } from './hpa-server.ts'

export interface Result {
  readonly hpaCase: NamedCase
  readonly observed: Observed
  readonly verdict: Verdict
}

export interface RunOptions {
  readonly cluster: Cluster
  readonly namespace: string
  readonly server: HpaServer
  /** How the real controller was started. */
  readonly options: HpaControllerOptions
}

/** A healthy run takes a third of this. The controller works on five HPAs at once, and on fewer than 20 a second. */
const PATIENCE_MS = 150_000
const INTERVAL_MS = 1_000

/** Runs the cases. A case without a verdict when the time is over is `waiting`. */
export async function runCases(
  cases: readonly NamedCase[],
  { cluster, namespace, server, options }: RunOptions,
): Promise<readonly Result[]> {
  await createTargets(cluster, namespace, cases)
  await using recordings = await recordAll(cluster, namespace)
  await createAll(cases.map((hpaCase) => hpaOf(hpaCase, namespace)))
  const end = performance.now() + PATIENCE_MS
  const results = new Map<NamedCase, Result>()
  let left = cases
  while (left.length > 0 && performance.now() < end) {
    await pause(INTERVAL_MS)
    const asked = await server.asked()
    for (const hpaCase of left) {
      const observed = observe(hpaCase, { ...recordings.of(hpaCase.name), asked })
      results.set(hpaCase, { hpaCase, observed, verdict: compare(hpaCase, observed, options) })
    }
    const settled = left.filter((hpaCase) => results.get(hpaCase)?.verdict.kind !== 'waiting')
    left = left.filter((hpaCase) => !settled.includes(hpaCase))
    // Then the controller reaches the other HPAs sooner.
    for (const { name } of settled) {
      await cluster.autoscaling.deleteNamespacedHorizontalPodAutoscaler({ namespace, name })
    }
  }
  return [...results.values()]
}

async function recordAll(cluster: Cluster, namespace: string) {
  const { metadata } = await cluster.autoscaling.listNamespacedHorizontalPodAutoscaler({
    namespace,
  })
  const from = metadata?.resourceVersion ?? ''
  const hpas = record(cluster.kubeConfig, {
    path: `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`,
    from,
    isOne: isHpa,
  })
  const { group, version, plural } = MINICLUSTERS
  const miniClusters = record(cluster.kubeConfig, {
    path: `/apis/${group}/${version}/namespaces/${namespace}/${plural}`,
    from,
    isOne: isMiniCluster,
  })
  return {
    of: (name: string) => ({
      hpas: hpas.statesOf(name),
      miniClusters: miniClusters.statesOf(name),
    }),
    async [Symbol.asyncDispose]() {
      await hpas[Symbol.asyncDispose]()
      await miniClusters[Symbol.asyncDispose]()
    },
  }
}

function isHpa(object: unknown): object is V2HorizontalPodAutoscaler {
  if (typeof object !== 'object' || object === null || !('kind' in object)) return false
  return object.kind === 'HorizontalPodAutoscaler'
}
