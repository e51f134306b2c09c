import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  adviseOnKueue,
  adviseOnKueueOf,
} from '../../../../webhook/admission/advice/kueue-advice.ts'
import { adviseOnSpec, sentencesOf } from '../../../../webhook/admission/advice/spec-advice.ts'
import { MAX_WARNING_LENGTH } from '../../../../webhook/contract.ts'
import { miniCluster, SCHEDULER } from '../../support-objects.ts'

const QUEUED = { 'kueue.x-k8s.io/queue-name': 'user-queue' }
const KUEUE =
  '(kueue.x-k8s.io/queue-name): Kueue stops a Job whose size changes, which ends all jobs of the MiniCluster: ' +
  'create no HPA, or the MiniCluster without the label'

function withJobLabels(jobLabels: Readonly<Record<string, string>>) {
  return miniCluster({ spec: { flux: SCHEDULER, jobLabels } })
}

test('adviseOnKueue warns of a MiniCluster that gives its Job to a queue of Kueue', () => {
  const [warning = '', ...others] = adviseOnKueue(withJobLabels(QUEUED))
  assert.equal(warning, `spec.jobLabels ${KUEUE}`)
  assert.deepEqual(others, [])
  assert.ok(warning.length <= MAX_WARNING_LENGTH)
})

test('adviseOnKueue warns of nothing without a queue', () => {
  for (const labels of [{}, { 'kueue.x-k8s.io/queue-name': '' }, { queue: 'user-queue' }]) {
    assert.deepEqual(adviseOnKueue(withJobLabels(labels)), [])
  }
  assert.deepEqual(adviseOnKueue(miniCluster()), [])
})

test('adviseOnKueueOf warns of a Job that Kueue itself gave a queue', () => {
  const [warning = ''] = adviseOnKueueOf({ labels: QUEUED })
  assert.equal(warning, `the labels of its Job ${KUEUE}`)
  assert.ok(warning.length <= MAX_WARNING_LENGTH)
})

test('adviseOnKueueOf warns of nothing if Kueue resizes the Job without a stop', () => {
  const annotations = { 'kueue.x-k8s.io/elastic-job': 'true' }
  assert.deepEqual(adviseOnKueueOf({ labels: QUEUED, annotations }), [])
  assert.deepEqual(adviseOnKueueOf({}), [])
})

test('what is said of a MiniCluster has the warning about Kueue', () => {
  const advice = adviseOnSpec(withJobLabels(QUEUED))
  assert.deepEqual(sentencesOf(advice), [`spec.jobLabels ${KUEUE}`])
})
