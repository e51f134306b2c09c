import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { OVERFLOW_RULE } from '../../../../../../webhook/cli/doctor/rules/hpas/overflow-rule.ts'
import { toHpas } from '../../../../../../webhook/cli/input/cluster/hpa.ts'
import { MiniClusterSource } from '../../../../../../webhook/cli/input/files/minicluster-source.ts'

const MINICLUSTER = v.parse(MiniClusterSource, {
  metadata: { name: 'flux-sample' },
  spec: { containers: [{ image: 'lammps' }] },
})

interface Scene {
  readonly type: 'Object' | 'External'
  readonly target: Readonly<Record<string, string>>
  readonly current: Readonly<Record<string, string>>
  readonly minor?: number
  readonly replicas?: number
}

/** What the rule says of an HPA whose controller has read a metric. */
function messagesOf({ type, target, current, minor, replicas = 2 }: Scene): readonly string[] {
  const part = type.toLowerCase()
  const metric = { name: 'bytes_to_read' }
  const describedObject = { kind: 'MiniCluster', name: 'flux-sample' }
  const [hpa] =
    toHpas({
      items: [
        {
          metadata: { name: 'flux-sample', namespace: 'hpc' },
          spec: {
            scaleTargetRef: describedObject,
            maxReplicas: 9,
            metrics: [{ type, [part]: { describedObject, metric, target } }],
          },
          status: {
            currentReplicas: replicas,
            conditions: [],
            currentMetrics: [{ type, [part]: { metric, current } }],
          },
        },
      ],
    }) ?? []
  assert.ok(hpa)
  const version = minor === undefined ? undefined : { major: 1, minor }
  const found = OVERFLOW_RULE(hpa, {
    minicluster: MINICLUSTER,
    version,
    hasUserMetrics: true,
    drains: false,
  })
  return found.map(({ message }) => message)
}

const AVERAGE = { type: 'AverageValue', averageValue: '1' }
const VALUE = { type: 'Value', value: '1' }

test('an object metric by average overflows in every version, from 2^31 nodes on', () => {
  const of = (averageValue: string) =>
    messagesOf({ type: 'Object', target: AVERAGE, current: { averageValue }, minor: 37 })
  assert.deepEqual(of('1073741824'), [
    "bytes_to_read asks for 2,147,483,648 nodes, more than the controller's 32 bits hold: it may shrink to minReplicas",
  ])
  assert.deepEqual(of('1073741823500m'), [])
})

test('external metrics by average are bounded since 1.34, values since 1.35', () => {
  const byAverage = { type: 'External', target: AVERAGE, current: { averageValue: '2G' } } as const
  const byValue = { type: 'Object', target: VALUE, current: { value: '2G' } } as const
  const found = (minor: number) =>
    [byAverage, byValue].map((scene) => messagesOf({ ...scene, minor }).length)
  assert.deepEqual(
    [found(33), found(34), found(35)],
    [
      [1, 1],
      [0, 1],
      [0, 0],
    ],
  )
})

test('what the controller has not read, or no amount, is not judged', () => {
  const scene = { type: 'Object', target: AVERAGE } as const
  assert.deepEqual(messagesOf({ ...scene, current: {} }), [])
  assert.deepEqual(messagesOf({ ...scene, current: { averageValue: '-9G' } }), [])
  assert.deepEqual(messagesOf({ ...scene, current: { averageValue: '9G' }, replicas: 0 }), [])
})
