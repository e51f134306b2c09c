import assert from 'node:assert/strict'
import { test } from 'node:test'
import { derived } from '#api/documents/derived.ts'
import { Catalog } from '#metrics/catalog.ts'

test('derived makes its value again only when the metrics have changed', () => {
  const catalog = new Catalog()
  let made = 0
  const count = derived(catalog, (metrics) => {
    made += 1
    return metrics.length
  })
  const before = [count(), count(), made]
  const [first] = catalog.all()
  assert.ok(first)
  catalog.setUserMetrics([{ ...first, name: 'mine' }])
  assert.deepEqual(before, [catalog.all().length - 1, catalog.all().length - 1, 1])
  assert.deepEqual([count(), count(), made], [catalog.all().length, catalog.all().length, 2])
})

test('derived makes its value again when what it also depends on has changed', () => {
  const others = { version: 0 }
  let made = 0
  const count = derived(
    new Catalog(),
    () => {
      made += 1
      return made
    },
    others,
  )
  const before = [count(), count()]
  others.version = 1
  assert.deepEqual([before, count(), count()], [[1, 1], 2, 2])
})
