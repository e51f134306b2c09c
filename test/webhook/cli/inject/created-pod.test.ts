import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asCreated } from '../../../../webhook/cli/inject/created-pod.ts'
import { objectsOf, recordedText } from '../sources.ts'

test('asCreated removes the fields that the cluster wrote, and does not change its argument', () => {
  const [found] = objectsOf(recordedText('operator/pods-running.json'))
  assert.ok(found?.kind === 'Pod')
  const before = structuredClone(found.value)
  const created = asCreated(found.value)
  assert.deepEqual(found.value, before)
  assert.deepEqual(Object.keys(created), ['apiVersion', 'kind', 'metadata', 'spec'])
  assert.deepEqual(Object.keys(created.metadata).sort(), [
    'annotations',
    'finalizers',
    'generateName',
    'labels',
    'namespace',
    'ownerReferences',
  ])
  const removed = Object.keys(before.spec).filter((key) => !(key in created.spec))
  assert.deepEqual(removed, ['nodeName'])
})
