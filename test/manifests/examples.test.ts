// examples/: a MiniCluster and its HPAs, which must fit each other, the catalog and the overlays.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { METRICS } from '#metrics/catalog.ts'
import { readAnnotations } from '../../webhook/annotations.ts'
import { METRICS_SERVICE } from '../../webhook/sidecar-container.ts'
import { kustomization, readObjects, theOnly } from '../support/manifests.ts'

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

const ObjectMetric = v.object({
  type: v.literal('Object'),
  object: v.strictObject({
    describedObject: v.strictObject({
      apiVersion: v.exactOptional(v.string()),
      kind: v.string(),
      name: v.string(),
    }),
    metric: v.strictObject({ name: v.string() }),
    target: v.strictObject({
      type: v.picklist(['AverageValue', 'Value']),
      averageValue: v.optional(v.string()),
      value: v.optional(v.string()),
    }),
  }),
})

const HpaSchema = v.object({
  spec: v.strictObject({
    scaleTargetRef: v.unknown(),
    minReplicas: v.number(),
    maxReplicas: v.number(),
    metrics: v.strictTuple([ObjectMetric]),
    behavior: v.unknown(),
  }),
})

test('the MiniCluster asks for metrics, and for nothing that is unknown', () => {
  assert.deepEqual(readAnnotations(null, metadata.annotations), {
    settings: { enabled: true },
    warnings: [],
  })
})

test('the MiniCluster can grow, and can shrink', () => {
  assert.ok(1 <= spec.minSize && spec.minSize <= spec.size && spec.size < spec.maxSize)
})

test('the MiniCluster is where the overlays look for one', () => {
  const { namespace } = kustomization('examples')
  assert.equal(namespace, theOnly('Service', 'overlays').metadata.namespace)
})

const HPAS = [
  { file: 'hpa-minicluster.yaml', describedObject: MINICLUSTER },
  // The prototype's has no apiVersion, which is that of Services.
  { file: 'hpa-node-up.yaml', describedObject: { kind: 'Service', name: METRICS_SERVICE } },
]

for (const { file, describedObject } of HPAS) {
  const hpa = v.parse(HpaSchema, readObjects(`examples/${file}`)[0]).spec
  const [{ object: source }] = hpa.metrics

  test(`${file} resizes the MiniCluster, within its bounds`, () => {
    assert.deepEqual(hpa.scaleTargetRef, MINICLUSTER)
    assert.ok(spec.minSize <= hpa.minReplicas && hpa.maxReplicas <= spec.maxSize)
    assert.ok(hpa.minReplicas < hpa.maxReplicas)
  })

  test(`${file} asks for a metric that there is, of what has it`, () => {
    assert.deepEqual(source.describedObject, describedObject)
    assert.ok(METRICS.has(source.metric.name), source.metric.name)
  })
}
