import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RateLimit } from '#serving/limits/rate-limit.ts'

const LIMITS = { burst: 2, perSecond: 10 }

test('RateLimit admits a burst of an address, and later as many as the time has made up for', () => {
  const limit = new RateLimit(LIMITS)
  const admitted = [0, 0, 0, 100, 100, 1000, 1000, 1000].map((now) => limit.admit('a', now))
  assert.deepEqual(admitted, [true, true, false, true, false, true, true, false])
})

test('RateLimit counts each address for itself', () => {
  const limit = new RateLimit({ ...LIMITS, burst: 1 })
  const admitted = ['a', 'a', 'b'].map((address) => limit.admit(address, 0))
  assert.deepEqual(admitted, [true, false, true])
})

test('RateLimit takes back the connection of a known client', () => {
  const limit = new RateLimit({ ...LIMITS, burst: 1 })
  limit.admit('a', 0)
  limit.excuse('a')
  assert.equal(limit.admit('a', 0), true)
})

test('RateLimit forgets no address that has just opened a connection', () => {
  const limit = new RateLimit({ ...LIMITS, burst: 1 })
  limit.admit('a', 0)
  limit.forgetOld(50)
  assert.equal(limit.admit('a', 50), false)
  limit.forgetOld(100)
  assert.equal(limit.admit('a', 100), true)
})

test('RateLimit keeps 10,000 keys at most: new ones wait until older ones are forgotten', () => {
  const limit = new RateLimit(LIMITS)
  for (let key = 0; key < 10_000; key += 1) limit.admit(String(key), 0)
  assert.deepEqual([limit.admit('new', 0), limit.admit('0', 0)], [false, true])
  assert.equal(limit.admit('new', 1_000), true)
})
