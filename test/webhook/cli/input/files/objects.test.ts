import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDocuments } from '../../../../../webhook/cli/input/files/documents.ts'
import { NO_UID, readObjects } from '../../../../../webhook/cli/input/files/objects.ts'
import { objectsOf, recordedText } from '../../sources.ts'

function problemsOf(text: string): readonly string[] {
  const { found, problems } = readDocuments(text, 'f.yaml')
  assert.deepEqual(problems, [])
  return readObjects(found, { namespace: 'default' }).problems
}

test('readObjects finds MiniClusters, Jobs and pods, and skips other kinds', () => {
  const found = objectsOf(
    recordedText('operator/minicluster-after-resize.json'),
    'apiVersion: v1\nkind: Service\n---\napiVersion: apps/v1\nkind: Job\n',
    recordedText('operator/job.json'),
    recordedText('operator/pods-running.json'),
  )
  assert.deepEqual(
    found.map(({ kind, value }) => `${kind} ${value.metadata.name}`),
    [
      'MiniCluster flux-sample',
      'Job flux-sample',
      'Pod flux-sample-0-d4dhv',
      'Pod flux-sample-1-2cxgb',
    ],
  )
})

const MINICLUSTER = `apiVersion: flux-framework.org/v1alpha2
kind: MiniCluster
metadata:
  name: a
spec:
  containers:
    - image: app
`

test('readObjects adds a namespace and a UID to objects that no API server has stored', () => {
  const { found } = readObjects(readDocuments(MINICLUSTER, 'f').found, { namespace: 'hpc' })
  const { namespace, uid } = found[0]?.value.metadata ?? {}
  assert.deepEqual({ namespace, uid }, { namespace: 'hpc', uid: NO_UID })
})

test('readObjects gives each object with generateName alone a name of its own', () => {
  const generated = MINICLUSTER.replace('name: a', 'generateName: a-')
  const job = 'apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-, name: ""}\nspec: '
  const template = '{template: {spec: {containers: [{name: a}]}}}'
  const long = MINICLUSTER.replace('name: a', `generateName: ${'n'.repeat(80)}`)
  const found = objectsOf(generated, generated, `${job}${template}`, long, MINICLUSTER)
  assert.deepEqual(
    found.map(({ value }) => value.metadata.name),
    ['a-*', 'a-*2', 'a-*3', `${'n'.repeat(58)}*`, 'a'],
  )
})

test('readObjects reads MiniClusters of any version', () => {
  assert.equal(objectsOf(MINICLUSTER.replace('v1alpha2', 'v1')).length, 1)
})

for (const [what, text, problems] of [
  [
    'an annotation without quotes',
    MINICLUSTER.replace('name: a', 'name: a\n  annotations: {flux-metrics/enabled: true}'),
    [
      'f.yaml:5:39: metadata.annotations["flux-metrics/enabled"]: expected a string, got true, write "true"',
    ],
  ],
  [
    'a MiniCluster without containers',
    MINICLUSTER.replace(/spec:[\s\S]*/, 'spec:\n  containers: []\n'),
    ['f.yaml:6:15: spec.containers: expected at least one item, got none'],
  ],
  [
    'two problems at once',
    MINICLUSTER.replace('image: app', 'image: [app]').replace('name: a', 'nome: a'),
    [
      'f.yaml:4:3: metadata.name: expected a value, got none',
      'f.yaml:7:14: spec.containers[0].image: expected a string, got a list',
    ],
  ],
  [
    'a Job without template',
    'apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {}\n',
    ['f.yaml:4:7: spec.template: expected a value, got none'],
  ],
  [
    'a pod with a malformed volume mount',
    'apiVersion: v1\nkind: Pod\nmetadata: {}\nspec:\n  containers: [{name: a, volumeMounts: [{}]}]\n',
    ['f.yaml:5:3: expected the spec of a Pod as core/v1 defines it'],
  ],
  [
    'no metadata',
    'apiVersion: v1\nkind: Pod\nmetadata:\nspec: {containers: [{name: a}]}\n',
    ['f.yaml:3:10: metadata: expected a map, got null'],
  ],
  [
    'other kinds only',
    'apiVersion: v1\nkind: Service\n---\napiVersion: v1\nkind: Secret\n',
    ['f.yaml:1:1: expected a MiniCluster, Job or Pod, found Service, Secret'],
  ],
] as const) {
  test(`readObjects names the place of ${what}`, () => {
    assert.deepEqual(problemsOf(text), problems)
  })
}
