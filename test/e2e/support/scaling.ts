// The effect of HPAs on a MiniCluster: their conditions, and its sizes.
import { isMiniCluster, MINICLUSTERS } from '../../support/minicluster.ts'
import type { Environment } from './environment.ts'
import { record } from './hpa-recorder.ts'
import { MINICLUSTER } from './manifests.ts'
import { becomes } from './wait.ts'

/** The condition that says whether an HPA has its metric. */
export async function scalingActive(environment: Environment, name: string) {
  const { status } = await environment.hpa(name)
  return status?.conditions?.find(({ type }) => type === 'ScalingActive')
}

/** Waits until that condition has the expected reason. */
export async function reason(
  environment: Environment,
  name: string,
  expected: string,
): Promise<void> {
  await becomes(`condition of HPA "${name}"`, expected, async () => {
    return (await scalingActive(environment, name))?.reason
  })
}

/** Waits until the MiniCluster, its Job's pods and Flux itself agree on a size. */
export async function size(environment: Environment, expected: number): Promise<void> {
  await specSize(environment, expected)
  await environment.readyPods(expected)
  await becomes('node_up_count', expected, () => environment.metric('node_up_count'))
}

/** Waits until `spec.size` has a value. */
export async function specSize(environment: Environment, expected: number): Promise<void> {
  await becomes('spec.size', expected, async () => (await environment.miniCluster()).spec.size)
}

/** A value of `spec.size`, and since when, in milliseconds since the epoch. */
export interface SizeChange {
  readonly at: number
  readonly size: number
}

/** What is needed of an Environment to record its sizes. */
type Sized = Pick<Environment, 'cluster' | 'namespace' | 'miniCluster'>

export interface SizeRecording extends AsyncDisposable {
  /** The values of `spec.size`, the first one included, without repetitions. */
  seen(): readonly number[]
  /** The same values with their times; the first one has that of the beginning of the recording. */
  changes(): readonly SizeChange[]
}

/** Records `spec.size` of the MiniCluster from now on. */
export async function recordSizes(environment: Sized): Promise<SizeRecording> {
  const { cluster, namespace } = environment
  const { group, version, plural } = MINICLUSTERS
  const { metadata, spec } = await environment.miniCluster()
  const recording = record(cluster.kubeConfig, {
    path: `/apis/${group}/${version}/namespaces/${namespace}/${plural}`,
    from: metadata?.resourceVersion ?? '',
    isOne: isMiniCluster,
  })
  const first = { at: Date.now(), size: spec.size }
  const changes = () => {
    const later = recording
      .statesOf(MINICLUSTER)
      .map(({ at, object }) => ({ at, size: object.spec.size }))
    return [first, ...later].filter(({ size }, index, all) => size !== all[index - 1]?.size)
  }
  return {
    changes,
    seen: () => changes().map(({ size }) => size),
    [Symbol.asyncDispose]: () => recording[Symbol.asyncDispose](),
  }
}

/** How often the size grew and how often it shrank. */
export function turnsOf(sizes: SizeRecording): { readonly grown: number; readonly shrunk: number } {
  const seen = sizes.seen()
  const steps = seen.slice(1).map((one, index) => one - (seen[index] ?? one))
  return {
    grown: steps.filter((step) => step > 0).length,
    shrunk: steps.filter((step) => step < 0).length,
  }
}
