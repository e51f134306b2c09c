import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '#explaining/explanation.ts'
import {
  autoscalersIn,
  withoutAnswered,
} from '../../../../../webhook/cli/input/cluster/autoscaler-state.ts'
import { readExplanation } from '../../../../../webhook/cli/input/cluster/explanation.ts'
import { snapshotOf } from '../../../../support/snapshots.ts'

const MINICLUSTER = {
  apiVersion: 'flux-framework.org/v1alpha2',
  kind: 'MiniCluster',
  name: 'flux-sample',
}

function hpa(name: string, status: object, target: object = {}) {
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      scaleTargetRef: { ...MINICLUSTER, ...target },
      minReplicas: 2,
      maxReplicas: 16,
    },
    status,
  }
}

function describe(...items: readonly object[]) {
  return autoscalersIn(JSON.stringify({ kind: 'List', items }), 'flux-sample').lines
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

test('an HPA that waits for its window, and how long that is if it says so', () => {
  const conditions = [
    { type: 'AbleToScale', status: 'True', reason: 'ScaleDownStabilized', message: 'recent' },
  ]
  const one = hpa('a', { currentReplicas: 4, desiredReplicas: 4, conditions })
  const behavior = { scaleDown: { stabilizationWindowSeconds: 300 } }
  assert.deepEqual(describe({ ...one, spec: { ...one.spec, behavior } }), [
    'a: at 4, of 2 to 16; ScaleDownStabilized: recent (its window is 300 s)',
  ])
  assert.deepEqual(describe(one), ['a: at 4, of 2 to 16; ScaleDownStabilized: recent'])
})

test('the words of an HPA may be anything, and are shown as what they are', () => {
  const message = 'a\u202eb\u200b'
  const conditions = [{ type: 'AbleToScale', status: 'False', reason: 'No', message }]
  const [line = ''] = describe(hpa('a', { conditions }))
  assert.ok(line.endsWith('No: a\\u{202e}b\\u{200b}'), line)
})

test('no HPA, those of others, and several', () => {
  const status = { currentReplicas: 1, desiredReplicas: 1 }
  const none = ['none scales this MiniCluster']
  assert.deepEqual(describe(), none)
  assert.deepEqual(describe(hpa('a', status, { name: 'other' })), none)
  assert.deepEqual(describe(hpa('a', status, { kind: 'Deployment' })), none)
  // Kubernetes does not find such a kind.
  assert.deepEqual(describe(hpa('a', status, { apiVersion: 'other/v1' })), none)
  assert.deepEqual(
    describe(hpa('a', status), hpa('b', status)).at(-1),
    '2 HPAs scale it: Kubernetes lets none of them follow its metric',
  )
})

const NO_LIST = {
  lines: ['not known: kubectl did not answer a list of HPAs'],
  hpas: undefined,
}

test('an answer that is no list is said to be none', () => {
  assert.deepEqual(autoscalersIn('{}', 'flux-sample'), NO_LIST)
})

test('a text that is no list, and an HPA without conditions yet', () => {
  assert.deepEqual(autoscalersIn('', 'flux-sample'), NO_LIST)
  const item = {
    metadata: { name: 'new', namespace: 'default' },
    spec: { scaleTargetRef: MINICLUSTER, maxReplicas: 9 },
    status: { conditions: null },
  }
  assert.deepEqual(describe(item), ['new: at 0, of 1 to 9'])
})

const SNAPSHOT = snapshotOf()

/** It wants another size, within the default tolerance. */
function ignored(changes: object) {
  const explanation = readExplanation(
    JSON.stringify({
      ...explain(SNAPSHOT, SNAPSHOT.takenAt),
      warnings: [TOLERANCE.text, 'other'],
      notices: [TOLERANCE],
      ...changes,
    }),
  )
  assert.ok(typeof explanation === 'object')
  return explanation
}

const TOLERANCE = { kind: 'warning', code: 'hpa-tolerance', text: 'an HPA stays at 10' } as const
const UP = { desired: 11, present: 10 }
const DOWN = { desired: 10, present: 11 }
const SET = { scaleUp: { tolerance: '0' } }

function object(name: string) {
  const target = { type: 'AverageValue', averageValue: '1' }
  return [{ type: 'Object', object: { describedObject: MINICLUSTER, metric: { name }, target } }]
}

const COMPENSATED = object('node_desired_compensated_count')

for (const [what, changes, specs, isTold] of [
  ['growth, and a tolerance for it', UP, [{ behavior: SET }], false],
  ['growth, and a metric that makes up for it', UP, [{ metrics: COMPENSATED }], false],
  ['growth, and another metric', UP, [{ metrics: object('node_desired_count') }], true],
  ['growth, and no tolerance', UP, [{}], true],
  ['growth, and one HPA of two without a tolerance', UP, [{ behavior: SET }, {}], true],
  ['growth, and no HPA', UP, [], true],
  ['shrinking, and a tolerance for growth', DOWN, [{ behavior: SET }], true],
  ['shrinking, and a metric that makes up for growth', DOWN, [{ metrics: COMPENSATED }], true],
  [
    'shrinking, and a tolerance for it',
    DOWN,
    [{ behavior: { scaleDown: { tolerance: 0 } } }],
    false,
  ],
  ['an unknown size', { desired: null }, [{ behavior: SET }], true],
] as const) {
  test(`with ${what} the warning about the default tolerance is ${isTold ? '' : 'not '}shown`, () => {
    const items = specs.map((spec, index) => {
      const plain = hpa(`h${index}`, {})
      return { ...plain, spec: { ...plain.spec, ...spec } }
    })
    const { hpas } = autoscalersIn(JSON.stringify({ items }), 'flux-sample')
    const { warnings } = withoutAnswered(ignored(changes), hpas)
    assert.deepEqual(
      warnings.map(({ text }) => text),
      isTold ? [TOLERANCE.text, 'other'] : ['other'],
    )
  })
}

test('where HPAs are not known, every warning is shown, and so is one without a code', () => {
  assert.deepEqual(withoutAnswered(ignored(UP), undefined), ignored(UP))
  const items = [{ ...hpa('a', {}), spec: { ...hpa('a', {}).spec, behavior: SET } }]
  const { hpas } = autoscalersIn(JSON.stringify({ items }), 'flux-sample')
  const older = ignored({ ...UP, notices: undefined })
  assert.deepEqual(withoutAnswered(older, hpas), older)
})
