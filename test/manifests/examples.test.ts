// examples/: a MiniCluster, its HPAs and metrics. They must fit each other, the catalog of metrics and the overlays.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { METRICS } from '#metrics/catalog.ts'
import { readUserMetrics } from '#metrics/user-metrics/user-metrics.ts'
import { adviseOnSpec } from '../../webhook/admission/advice/spec-advice.ts'
import { runCommand } from '../../webhook/cli/commands.ts'
import { METRICS_SERVICE, MINICLUSTER_LABEL, SIDECAR_PORT } from '../../webhook/contract.ts'
import { readAnnotations } from '../../webhook/objects/annotations.ts'
import { toMiniCluster } from '../../webhook/objects/minicluster.ts'
import { HpaSchema } from '../support/hpa-schema.ts'
import { kustomization, objectsBelow, parseYaml, readText, theOnly } from '../support/manifests.ts'
import { snapshotOf } from '../support/snapshots.ts'
import { batchJob, waiting } from '../support/waiting.ts'
import { createMemoryIo } from '../webhook/cli/memory-io.ts'

const { apiVersion, kind, metadata, spec } = v.parse(
  v.object({
    apiVersion: v.string(),
    kind: v.string(),
    metadata: v.object({ name: v.string(), annotations: v.record(v.string(), v.string()) }),
    spec: v.looseObject({ size: v.number(), minSize: v.number(), maxSize: v.number() }),
  }),
  theOnly('MiniCluster', 'examples'),
)

const MINICLUSTER = { apiVersion, kind, name: metadata.name }

test('the MiniCluster enables metrics, and has no unknown annotation', () => {
  assert.deepEqual(readAnnotations(null, metadata.annotations), {
    settings: { enabled: true },
    warnings: [],
  })
})

test('the MiniCluster has a scheduler without advice', () => {
  const minicluster = toMiniCluster({ apiVersion, kind, metadata, spec })
  assert.ok(minicluster)
  const nothing = { scheduler: [], traps: [], bursting: [], size: [], kueue: [] }
  assert.deepEqual(adviseOnSpec(minicluster), nothing)
})

test('the MiniCluster can grow, and can shrink', () => {
  assert.ok(1 <= spec.minSize && spec.minSize <= spec.size && spec.size < spec.maxSize)
})

test('the MiniCluster is in the namespace of the overlays', () => {
  const { namespace } = kustomization('examples')
  assert.equal(namespace, theOnly('Service', 'overlays').metadata.namespace)
})

test('network-policy.yaml lets the pods of the MiniCluster reach each other, and API servers the sidecar', () => {
  const [own, metrics, ...others] = objectsBelow('examples')
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map(({ spec }) => spec)
  const podSelector = { matchLabels: { 'job-name': metadata.name } }
  assert.deepEqual(own, {
    podSelector,
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector }] }],
  })
  assert.deepEqual(metrics, {
    podSelector: { matchLabels: { [MINICLUSTER_LABEL]: metadata.name } },
    policyTypes: ['Ingress'],
    ingress: [{ ports: [{ port: SIDECAR_PORT }] }],
  })
  assert.deepEqual(others, [])
})

const CONFIG_MAP = v.parse(
  v.object({
    metadata: v.object({ name: v.string() }),
    data: v.strictObject({ 'metrics.yaml': v.string() }),
  }),
  theOnly('ConfigMap', 'examples'),
)

const USER_METRICS = readUserMetrics(CONFIG_MAP.data['metrics.yaml'], 'metrics.yaml')
assert.ok(USER_METRICS.kind === 'metrics')
const { metrics: userMetrics, problems } = USER_METRICS

const HPAS = [
  { file: 'hpa-minicluster.yaml', describedObject: MINICLUSTER, names: [...METRICS.keys()] },
  {
    file: 'hpa-node-up.yaml',
    // The prototype's HPA has no apiVersion: that of Services is empty.
    describedObject: { kind: 'Service', name: METRICS_SERVICE },
    names: [...METRICS.keys()],
  },
  {
    file: 'metrics.yaml',
    describedObject: MINICLUSTER,
    names: userMetrics.map(({ name }) => name),
  },
]

for (const { file, describedObject, names } of HPAS) {
  const { spec: hpa } = v.parse(HpaSchema, parseYaml(readText(`examples/${file}`)).at(-1))
  const [{ object: source }] = hpa.metrics

  test(`${file} resizes the MiniCluster within its bounds`, () => {
    assert.deepEqual(hpa.scaleTargetRef, MINICLUSTER)
    assert.ok(spec.minSize <= hpa.minReplicas && hpa.maxReplicas <= spec.maxSize)
    assert.ok(hpa.minReplicas < hpa.maxReplicas)
  })

  test(`${file} asks for an existing metric of the right object`, () => {
    assert.deepEqual(source.describedObject, describedObject)
    assert.ok(names.includes(source.metric.name), source.metric.name)
  })
}

test('metrics.yaml defines metrics that compile', () => {
  assert.deepEqual(problems, [])
  assert.equal(userMetrics.length, 3)
})

test('the comment of metrics.yaml has the annotation that mounts it', () => {
  const [, key = '', name = ''] =
    /(flux-metrics\/\S+?)=([^;\s]+)/.exec(readText('examples/metrics.yaml')) ?? []
  assert.deepEqual(readAnnotations({ [key]: name }, null), {
    settings: { metricsConfig: CONFIG_MAP.metadata.name },
    warnings: [],
  })
})

const held = batchJob({ priority: 0 })
const young = batchJob({ submittedAt: (batchJob().submittedAt ?? 0) + 500 })
const wide = batchJob({ nnodes: 5 })

for (const { jobs, values } of [
  { jobs: [], values: [36, 7, 0] },
  { jobs: [held, young], values: [36, 7, 2] },
  { jobs: [young, wide], values: [36, 12, 5] },
]) {
  test(`metrics.yaml has the values ${values} with ${jobs.length} pending jobs`, () => {
    const snapshot = snapshotOf(waiting(jobs))
    assert.deepEqual(
      userMetrics.map(({ value }) => value(snapshot, {})),
      values,
    )
  })
}

/** The oldest Kubernetes that the chart accepts. */
const OLDEST = v
  .parse(v.object({ kubeVersion: v.string() }), parseYaml(readText('chart/Chart.yaml'))[0])
  .kubeVersion.replace(/^>=(\d+\.\d+).*$/, '$1')

test('hpa-minicluster.yaml is what flux-metrics hpa prints for the oldest Kubernetes, which all accept, below its comment', async () => {
  const files = { 'minicluster.yaml': readText('examples/minicluster.yaml') }
  const { io, written } = createMemoryIo({ files })
  const args = ['hpa', '-f', 'minicluster.yaml', '--kubernetes', OLDEST]
  assert.equal(await runCommand(args, io), 0)
  const text = readText('examples/hpa-minicluster.yaml')
  assert.deepEqual(written, { out: text.replace(/^(#.*\n)+/, ''), err: '' })
})
