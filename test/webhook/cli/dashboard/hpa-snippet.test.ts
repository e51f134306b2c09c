// The HPA that the page shows for a metric.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { parse } from 'yaml'
import { hpaFor } from '../../../../webhook/cli/dashboard/hpa-snippet.ts'
import { MiniClusterSource } from '../../../../webhook/cli/input/minicluster-source.ts'

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
  const state = hpaFor('node_free_count', sourceWith(16))
  assert.match(state.kind === 'known' ? state.yaml : '', /# Beside node_desired_count, because/)
})

test('a MiniCluster that no HPA can scale has none, with the reason', () => {
  const state = hpaFor('node_desired_count', sourceWith(2))
  assert.equal(state.kind, 'unknown')
  assert.match(state.kind === 'unknown' ? state.reason : '', /spec\.maxSize/)
})
