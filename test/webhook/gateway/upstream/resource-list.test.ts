import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseResourceList } from '../../../../webhook/gateway/upstream/resource-list.ts'

const FOLDER = join(import.meta.dirname, '../../../recordings/kubernetes/adapter')

// Of the test adapter of custom-metrics-apiserver 1.37, whose only custom metric is one of no resource.
test('the discovery of a real adapter is read', () => {
  const read = (name: string) => parseResourceList(readFileSync(join(FOLDER, name), 'utf8'))
  assert.deepEqual(read('discovery.json'), [])
  assert.deepEqual(read('discovery-external.json'), [
    { name: 'externalmetrics', namespaced: true, kind: 'ExternalMetricValueList' },
  ])
})

for (const text of [
  '',
  '{',
  'null',
  '[]',
  '"x"',
  '{"kind":"APIResourceList"}',
  '{"resources":[]}',
]) {
  test(`${text} is no list of resources`, () => {
    assert.equal(parseResourceList(text), undefined)
  })
}
