// The objects of a case: a MiniCluster without an operator, pods that are Running by their status alone, and the HPA.
import { PatchStrategy, setHeaderOptions, type V1Pod } from '@kubernetes/client-node'
import type { MetricSpec } from '../../../webhook/cli/hpa-controller/spec.ts'
import type { HpaCase } from '../../support/hpa-cases.ts'
import { MINICLUSTERS } from '../../support/minicluster.ts'
import type { Cluster } from './cluster.ts'
import { metricNamed } from './hpa-server.ts'
import { kubectl } from './kubectl.ts'
import { miniCluster } from './manifests.ts'

/** A case with the name of its objects. */
export interface NamedCase extends HpaCase {
  readonly name: string
  /** The case as drawn, without names. */
  readonly drawn: HpaCase
}

/** Concurrent requests. */
const CONCURRENCY = 8
const MERGE_PATCH = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)

/** Adds the names that the case's HPA needs. */
export function named(hpaCase: HpaCase, name: string): NamedCase {
  const metrics = hpaCase.spec.metrics.map((metric, index): MetricSpec => {
    const identifier = { name: metricNamed(`${name}-${index}`, hpaCase.answers[index] ?? []) }
    if (metric.type === 'External') {
      return { ...metric, external: { ...metric.external, metric: identifier } }
    }
    const describedObject = { ...metric.object.describedObject, name }
    return { ...metric, object: { ...metric.object, describedObject, metric: identifier } }
  })
  const { group, version } = MINICLUSTERS
  const scaleTargetRef = { apiVersion: `${group}/${version}`, kind: 'MiniCluster', name }
  return { ...hpaCase, drawn: hpaCase, name, spec: { scaleTargetRef, ...hpaCase.spec, metrics } }
}

export function hpaOf({ name, spec }: NamedCase, namespace: string): object {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace },
    spec,
  }
}

/** Whether the API server lets an HPA set its tolerance. Where that is unknown or behind a feature gate, it drops the field. */
export async function keepsTolerance(of: NamedCase, namespace: string): Promise<boolean> {
  const spec = { ...of.spec, behavior: { scaleUp: { tolerance: '0.5' } } }
  const args = ['create', '--dry-run=server', '--validate=ignore', '--output=json', '-f', '-']
  const { code, stdout, stderr } = await kubectl(
    args,
    JSON.stringify(hpaOf({ ...of, spec }, namespace)),
  )
  if (code !== 0) throw new Error(`Cannot try an HPA: ${stderr.trim()}`)
  return stdout.includes('"tolerance"')
}

/** Creates MiniClusters and pods, with their status. */
export async function createTargets(
  cluster: Cluster,
  namespace: string,
  cases: readonly NamedCase[],
): Promise<void> {
  const pods = cases.flatMap((one) => podsOf(one, namespace))
  await createAll([
    ...cases.map(({ name, size }) => miniCluster(namespace, { name, size, maxSize: 1000 })),
    ...pods,
  ])
  await inParallel(cases, async ({ name, statusSize }) => {
    const status = {
      jobid: '',
      maximumSize: 1000,
      selector: `hpa-selector=${name}`,
      size: statusSize,
    }
    await cluster.custom.patchNamespacedCustomObjectStatus(
      { ...MINICLUSTERS, namespace, name, body: { status } },
      MERGE_PATCH,
    )
  })
  await inParallel(pods, async ({ metadata, status }) => {
    const name = metadata?.name ?? ''
    await cluster.core.patchNamespacedPodStatus({ namespace, name, body: { status } }, MERGE_PATCH)
  })
}

function podsOf({ name, pods: { ready, others } }: NamedCase, namespace: string): V1Pod[] {
  return Array.from({ length: ready + others }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-${index}`, namespace, labels: { 'hpa-selector': name } },
    spec: { schedulerName: 'nobody', containers: [{ name: 'none', image: 'none' }] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: index < ready ? 'True' : 'False' }],
    },
  }))
}

export async function createAll(items: readonly object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items }
  const { code, stderr } = await kubectl(['create', '-f', '-'], JSON.stringify(list))
  if (code !== 0) throw new Error(`Cannot create objects: ${stderr.trim()}`)
}

async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const work = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await act(item)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
}
