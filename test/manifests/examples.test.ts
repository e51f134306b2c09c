// examples/: a MiniCluster and its HPAs, which must fit each other, the catalog and the overlays.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { METRICS } from '#metrics/catalog.ts'
import { readAnnotations } from '../../webhook/annotations.ts'
import { runCommand } from '../../webhook/cli/commands.ts'
import { METRICS_SERVICE } from '../../webhook/sidecar-container.ts'
import { HpaSchema } from '../support/hpa-schema.ts'
import { kustomization, parseYaml, readText, theOnly } from '../support/manifests.ts'
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
  const [{ spec: hpa }] = v.parse(
    v.strictTuple([HpaSchema]),
    parseYaml(readText(`examples/${file}`)),
  )
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

test('hpa-minicluster.yaml is what flux-metrics hpa makes of the MiniCluster, below its comment', async () => {
  const files = { 'minicluster.yaml': readText('examples/minicluster.yaml') }
  const { io, written } = createMemoryIo({ files })
  assert.equal(await runCommand(['hpa', '-f', 'minicluster.yaml'], io), 0)
  const text = readText('examples/hpa-minicluster.yaml')
  assert.deepEqual(written, { out: text.replace(/^(#.*\n)+/, ''), err: '' })
})
