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
  /** Of the metric; `undefined` if it is not known. */
  readonly value: number | undefined
  readonly minor?: number
}

/** What the rule says of an HPA on a metric that has this value. */
function messagesOf({ type, target, value, minor }: Scene): readonly string[] {
  const name = 'bytes_to_read'
  const describedObject = { kind: 'MiniCluster', name: 'flux-sample' }
  const metrics = [{ type, [type.toLowerCase()]: { describedObject, metric: { name }, target } }]
  const spec = { scaleTargetRef: describedObject, maxReplicas: 9, metrics }
  const status = { currentReplicas: 2, conditions: [] }
  const metadata = { name: 'flux-sample', namespace: 'hpc' }
  const [hpa] = toHpas({ items: [{ metadata, spec, status }] }) ?? []
  assert.ok(hpa)
  const found = OVERFLOW_RULE(hpa, {
    minicluster: MINICLUSTER,
    version: minor === undefined ? undefined : { major: 1, minor },
    values: new Map(value === undefined ? [] : [[name, value]]),
    hasUserMetrics: true,
    drains: false,
  })
  return found.map(({ message }) => message)
}

const AVERAGE = { type: 'AverageValue', averageValue: '1' }
const VALUE = { type: 'Value', value: '1' }

test('an object metric by average overflows in every version, from 2^31 nodes on', () => {
  const of = (value: number, averageValue = '1') =>
    messagesOf({ type: 'Object', target: { ...AVERAGE, averageValue }, value, minor: 37 })
  const words = 'more than the 32 bits of the HPA controller hold: it may shrink to minReplicas'
  assert.deepEqual(of(2 ** 31), [`bytes_to_read asks for 2,147,483,648 nodes, ${words}`])
  assert.deepEqual([of(2 ** 31 - 1), of(2 ** 31, '2')], [[], []])
  assert.equal(of(2 ** 30, '500m').length, 1)
})

test('external metrics by average are bounded since 1.34, values since 1.35', () => {
  const byAverage = { type: 'External', target: AVERAGE, value: 3e9 } as const
  const byValue = { type: 'Object', target: VALUE, value: 2 ** 30 } as const
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

test('a metric without a value, and a target without one, are not judged', () => {
  assert.deepEqual(messagesOf({ type: 'Object', target: AVERAGE, value: undefined }), [])
  assert.deepEqual(messagesOf({ type: 'Object', target: { type: 'Value' }, value: 3e9 }), [])
})
