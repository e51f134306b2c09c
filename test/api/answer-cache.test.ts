import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnswerCache } from '#api/answer-cache.ts'
import { snapshotOf } from '../support/snapshots.ts'

const A = { body: 'A', route: '/:a' }
const B = { body: 'B', route: '/:b' }

test('AnswerCache keeps the answers of a snapshot', () => {
  const cache = new AnswerCache({ version: 0 })
  const snapshot = snapshotOf()
  cache.set(snapshot, '/a', A)
  cache.set(snapshot, '/b', B)
  assert.deepEqual([cache.get(snapshot, '/a'), cache.get(snapshot, '/b')], [A, B])
})

test('AnswerCache has nothing for another snapshot, be it equal', () => {
  const cache = new AnswerCache({ version: 0 })
  cache.set(snapshotOf(), '/a', A)
  assert.equal(cache.get(snapshotOf(), '/a'), undefined)
})

test('AnswerCache forgets a snapshot when it learns of the next', () => {
  const cache = new AnswerCache({ version: 0 })
  const first = snapshotOf()
  const second = snapshotOf()
  cache.set(first, '/a', A)
  cache.set(second, '/b', B)
  assert.deepEqual([cache.get(first, '/a'), cache.get(second, '/a')], [undefined, undefined])
})

test('AnswerCache starts anew after 1024 answers', () => {
  const cache = new AnswerCache({ version: 0 })
  const snapshot = snapshotOf()
  for (let index = 0; index <= 1024; index += 1) cache.set(snapshot, `/${index}`, A)
  assert.deepEqual([cache.get(snapshot, '/1023'), cache.get(snapshot, '/1024')], [undefined, A])
})

test('AnswerCache has nothing when the metrics are others, and keeps what is answered then', () => {
  const catalog = { version: 0 }
  const cache = new AnswerCache(catalog)
  const snapshot = snapshotOf()
  cache.set(snapshot, '/a', A)
  catalog.version = 1
  assert.equal(cache.get(snapshot, '/a'), undefined)
  cache.set(snapshot, '/b', B)
  assert.deepEqual([cache.get(snapshot, '/a'), cache.get(snapshot, '/b')], [undefined, B])
})

test('AnswerCache does not keep what a long URL asked for', () => {
  const cache = new AnswerCache({ version: 0 })
  const snapshot = snapshotOf()
  cache.set(snapshot, `/${'x'.repeat(512)}`, A)
  assert.equal(cache.get(snapshot, `/${'x'.repeat(512)}`), undefined)
})
