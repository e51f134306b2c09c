// The HPA that the page shows for a metric.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { parse } from 'yaml'
import { METRICS } from '#metrics/catalog.ts'
import { hpaFor } from '../../../../webhook/cli/dashboard/hpa-snippet.ts'
import { MiniClusterSource } from '../../../../webhook/cli/input/files/minicluster-source.ts'
import { healthyObjects, reportOf, set } from '../doctor/cluster.ts'

function sourceWith(maxSize: number) {
  return {
    apiVersion: 'flux-framework.org/v1alpha2',
    minicluster: v.parse(MiniClusterSource, {
      metadata: { name: 'flux-sample', namespace: 'hpc' },
      spec: { size: 2, minSize: 2, maxSize, containers: [{}] },
    }),
    choices: { hasTolerance: true, drains: false },
  }
}

function metricsOf(metric: string): readonly string[] {
  const state = hpaFor(metric, sourceWith(16))
  assert.equal(state.kind, 'known')
  const { spec, kind } = parse(state.yaml)
  assert.equal(kind, 'HorizontalPodAutoscaler')
  assert.equal(spec.maxReplicas, 16)
  return spec.metrics.map(
    ({ object }: { object: { metric: { name: string } } }) => object.metric.name,
  )
}

test('for the size that jobs need it is the recommended HPA', () => {
  assert.deepEqual(metricsOf('node_desired_count'), ['node_desired_count'])
})

test('another metric stands beside that size: alone it might end running jobs', () => {
  assert.deepEqual(metricsOf('job_queue_state_sched_count'), [
    'node_desired_count',
    'job_queue_state_sched_count',
  ])
  const state = hpaFor('job_active_count', sourceWith(16))
  assert.match(state.kind === 'known' ? state.yaml : '', /# Beside node_desired_count, because/)
})

test('a MiniCluster that no HPA can scale has none, with the reason', () => {
  const state = hpaFor('node_desired_count', sourceWith(2))
  assert.equal(state.kind, 'unknown')
  assert.match(state.kind === 'unknown' ? state.reason : '', /spec\.maxSize/)
})

test('a metric that counts what there is has none: an HPA on it would never shrink', () => {
  const state = hpaFor('node_up_count', sourceWith(16))
  assert.equal(state.kind, 'unknown')
  assert.match(state.kind === 'unknown' ? state.reason : '', /an HPA on it follows itself$/)
})

test('a size beside the recommended one is not said to be divided', () => {
  const state = hpaFor('node_demand_count', sourceWith(16))
  const yaml = state.kind === 'known' ? state.yaml : ''
  assert.match(yaml, /# The metric is a size, too\.\n *averageValue: "1"/)
})

for (const metric of METRICS.keys()) {
  test(`the doctor finds nothing wrong with the HPA for ${metric}`, async () => {
    const state = hpaFor(metric, sourceWith(4))
    if (state.kind === 'unknown') return assert.equal(METRICS.get(metric)?.role, 'supply')
    const objects = healthyObjects()
    const { minReplicas: _, ...spec } = parse(state.yaml).spec
    set(objects, 'hpas', ['items', 0, 'spec'], spec)
    assert.deepEqual((await reportOf(objects)).findings, [])
  })
}
