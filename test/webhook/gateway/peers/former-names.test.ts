import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentMap } from '#serving/limits/recent-map.ts'
import { FormerNames } from '../../../../webhook/gateway/peers/former-names.ts'

test('names are known for a minute, and then take no memory', (t) => {
  let now = 0
  const names = new FormerNames(() => now)
  names.add({ namespace: 'a', minicluster: 'x' })
  now = 59_999
  names.add({ namespace: 'b', minicluster: 'y' })
  assert.deepEqual([names.inNamespace('a'), names.inNamespace('b')], [['x'], ['y']])
  const deleted: unknown[] = []
  const { delete: remove } = RecentMap.prototype
  t.mock.method(
    RecentMap.prototype,
    'delete',
    function (this: RecentMap<unknown, unknown>, key: unknown) {
      deleted.push(key)
      remove.call(this, key)
    },
  )
  now = 119_999
  names.add({ namespace: 'c', minicluster: 'z' })
  assert.deepEqual(deleted, ['x', 'a', 'y', 'b'])
  assert.deepEqual([names.inNamespace('a'), names.inNamespace('c')], [[], ['z']])
})
