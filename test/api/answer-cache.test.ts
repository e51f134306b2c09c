import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnswerCache } from '#api/answer-cache.ts'
import { snapshotOf } from '../support/snapshots.ts'

const A = { body: 'A', metric: {}, route: '/:a' }
const B = { body: 'B', metric: {}, route: '/:b' }

test('AnswerCache keeps the answers of a snapshot', () => {
  const cache = new AnswerCache({ version: 0 })
  const snapshot = snapshotOf()
  cache.set(snapshot, '/a', A)
  cache.set(snapshot, '/b', B)
  assert.deepEqual([cache.get(snapshot, '/a'), cache.get(snapshot, '/b')], [A, B])
})

test('AnswerCache has no answer for another snapshot, even if it is equal', () => {
  const cache = new AnswerCache({ version: 0 })
  cache.set(snapshotOf(), '/a', A)
  assert.equal(cache.get(snapshotOf(), '/a'), undefined)
})

test('AnswerCache drops the answers of a snapshot with the first answer of the next', () => {
  const cache = new AnswerCache({ version: 0 })
  const first = snapshotOf()
  const second = snapshotOf()
  cache.set(first, '/a', A)
  cache.set(second, '/b', B)
  assert.deepEqual([cache.get(first, '/a'), cache.get(second, '/a')], [undefined, undefined])
})

test('AnswerCache drops all answers after 1024', () => {
  const cache = new AnswerCache({ version: 0 })
  const snapshot = snapshotOf()
  for (let index = 0; index <= 1024; index += 1) cache.set(snapshot, `/${index}`, A)
  assert.deepEqual([cache.get(snapshot, '/1023'), cache.get(snapshot, '/1024')], [undefined, A])
})

test('AnswerCache drops its answers when the metrics have changed, and keeps later ones', () => {
  const catalog = { version: 0 }
  const cache = new AnswerCache(catalog)
  const snapshot = snapshotOf()
  cache.set(snapshot, '/a', A)
  catalog.version = 1
  assert.equal(cache.get(snapshot, '/a'), undefined)
  cache.set(snapshot, '/b', B)
  assert.deepEqual([cache.get(snapshot, '/a'), cache.get(snapshot, '/b')], [undefined, B])
})

test('AnswerCache does not keep the answer to a long URL', () => {
  const cache = new AnswerCache({ version: 0 })
  const snapshot = snapshotOf()
  cache.set(snapshot, `/${'x'.repeat(512)}`, A)
  assert.equal(cache.get(snapshot, `/${'x'.repeat(512)}`), undefined)
})
