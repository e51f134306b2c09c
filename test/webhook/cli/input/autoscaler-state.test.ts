import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeHpas } from '../../../../webhook/cli/input/autoscaler-state.ts'

function hpa(name: string, status: object, target: object = {}) {
  return {
    metadata: { name },
    spec: {
      scaleTargetRef: { kind: 'MiniCluster', name: 'flux-sample', ...target },
      minReplicas: 2,
      maxReplicas: 16,
    },
    status,
  }
}

function describe(...items: readonly object[]) {
  return describeHpas(JSON.stringify({ kind: 'List', items }), 'flux-sample')
}

test('an HPA that does what is wanted', () => {
  const conditions = [{ type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound' }]
  assert.deepEqual(describe(hpa('a', { currentReplicas: 4, desiredReplicas: 4, conditions })), [
    'a: at 4, of 2 to 16',
  ])
  assert.deepEqual(describe(hpa('a', { currentReplicas: 4, desiredReplicas: 9 })), [
    'a: 4 → 9, of 2 to 16',
  ])
})

test('an HPA that cannot read its metric, or is at its limit, in the words of Kubernetes', () => {
  const conditions = [
    { type: 'ScalingActive', status: 'False', reason: 'FailedGetObjectMetric', message: 'no' },
    { type: 'ScalingLimited', status: 'True', reason: 'TooManyReplicas', message: 'too many' },
    { type: 'AbleToScale', status: 'True', reason: 'ReadyForNewScale', message: 'fine' },
  ]
  assert.deepEqual(describe(hpa('a', { currentReplicas: 4, desiredReplicas: 4, conditions })), [
    'a: at 4, of 2 to 16; FailedGetObjectMetric: no; TooManyReplicas: too many',
  ])
})

test('no HPA, those of others, and several', () => {
  const status = { currentReplicas: 1, desiredReplicas: 1 }
  const none = ['none scales this MiniCluster']
  assert.deepEqual(describe(), none)
  assert.deepEqual(describe(hpa('a', status, { name: 'other' })), none)
  assert.deepEqual(describe(hpa('a', status, { kind: 'Deployment' })), none)
  assert.deepEqual(
    describe(hpa('a', status), hpa('b', status)).at(-1),
    '2 HPAs scale it: they undo each other',
  )
})

test('an answer that is no list is said to be none', () => {
  assert.deepEqual(describeHpas('{}', 'flux-sample'), [
    'not known: kubectl did not answer a list of HPAs',
  ])
})

test('a text that is no list, and an HPA without conditions yet', () => {
  assert.deepEqual(describeHpas('', 'flux-sample'), [
    'not known: kubectl did not answer a list of HPAs',
  ])
  const scaleTargetRef = { kind: 'MiniCluster', name: 'flux-sample' }
  const item = {
    metadata: { name: 'new' },
    spec: { scaleTargetRef, maxReplicas: 9 },
    status: { conditions: null },
  }
  assert.deepEqual(describeHpas(JSON.stringify({ items: [item] }), 'flux-sample'), [
    'new: at 0, of 1 to 9',
  ])
})
