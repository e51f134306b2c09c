import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subjectsOf } from '../../../../webhook/cli/inject/subjects.ts'
import { objectsOf, recordedText } from '../sources.ts'

const MINICLUSTER = recordedText('operator/minicluster-after-resize.json')
const JOB = recordedText('operator/job.json')
const PODS = recordedText('operator/pods-running.json')

function namesOf(...texts: readonly string[]): readonly string[] {
  return subjectsOf(objectsOf(...texts)).subjects.map((subject) => {
    if (subject.kind === 'none') return `${subject.name}: ${subject.why}`
    return subject.source === undefined ? subject.name : `${subject.name} of ${subject.source}`
  })
}

test('subjectsOf makes the pod of a MiniCluster', () => {
  assert.deepEqual(namesOf(MINICLUSTER), ['pod/flux-sample-0-* of minicluster/flux-sample'])
})

test('subjectsOf makes the pod of a Job, and no second one for its MiniCluster', () => {
  assert.deepEqual(namesOf(JOB, MINICLUSTER), ['pod/flux-sample-0-* of job/flux-sample'])
  assert.deepEqual(namesOf(MINICLUSTER, JOB), ['pod/flux-sample-0-* of job/flux-sample'])
})

test('subjectsOf makes no pod if the input has one', () => {
  const pods = ['pod/flux-sample-0-d4dhv', 'pod/flux-sample-1-2cxgb']
  assert.deepEqual(namesOf(PODS), pods)
  assert.deepEqual(namesOf(JOB, PODS, MINICLUSTER), pods)
  // Only the cluster has the Job of these pods.
  assert.deepEqual(namesOf(PODS, MINICLUSTER), pods)
})

test('subjectsOf makes the index-0 pod of a Job of which the input has other pods', () => {
  const { items, ...list } = JSON.parse(PODS)
  const others = JSON.stringify({ ...list, items: items.slice(1) })
  assert.deepEqual(namesOf(JOB, others), [
    'pod/flux-sample-0-* of job/flux-sample',
    'pod/flux-sample-1-2cxgb',
  ])
})

test("subjectsOf makes the pod of a MiniCluster whose UID is not that of the Job's owner", () => {
  const other = MINICLUSTER.replace(/"uid": "[^"]*"/, '"uid": "another"')
  assert.deepEqual(namesOf(JOB, other), [
    'pod/flux-sample-0-* of job/flux-sample',
    'pod/flux-sample-0-* of minicluster/flux-sample',
  ])
})

test('subjectsOf says why there is no pod', () => {
  assert.deepEqual(namesOf(MINICLUSTER.replace('"size": 2', '"size": 9')), [
    'minicluster/flux-sample: the Flux Operator refuses the MiniCluster: spec.size is 9, above spec.maxSize 4',
  ])
  const mount = JSON.stringify({ name: 'x' })
  const broken = JOB.replace('"volumeMounts": [', `"volumeMounts": [${mount},`)
  assert.match(
    namesOf(broken)[0] ?? '',
    /^job\/flux-sample: 0\.yaml:\d+:\d+: expected a spec from which/,
  )
})
