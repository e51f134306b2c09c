import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ObjectStore } from '../../../../webhook/cli/inject/object-store.ts'

function limitRange(namespace: string, name: string) {
  const value = { metadata: { namespace, name } }
  return { kind: 'LimitRange', value, document: { value } }
}

const LIST = { apiVersion: 'v1', kind: 'LimitRange', limit: 10 }

test('ObjectStore lists the objects of one kind and one namespace, each name once', async () => {
  const job = { ...limitRange('a', 'one'), kind: 'Job' }
  const one = limitRange('a', 'one')
  const two = limitRange('a', 'two')
  const store = new ObjectStore([one, job, limitRange('b', 'one'), two, limitRange('a', 'one')])
  const { items } = await store.list({ ...LIST, namespace: 'a' })
  assert.deepEqual(items, [one.value, two.value])
  assert.deepEqual((await store.list({ ...LIST, namespace: 'c' })).items, [])
})
