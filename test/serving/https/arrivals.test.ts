import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Arrivals } from '#serving/https/arrivals.ts'

const LIMITS = { burst: 2, perSecond: 10 }

test('Arrivals admits a burst of an address, and later as many as the time has made up for', () => {
  const arrivals = new Arrivals(LIMITS)
  const admitted = [0, 0, 0, 100, 100, 1000, 1000, 1000].map((now) => arrivals.admit('a', now))
  assert.deepEqual(admitted, [true, true, false, true, false, true, true, false])
})

test('Arrivals counts each address for itself', () => {
  const arrivals = new Arrivals({ ...LIMITS, burst: 1 })
  const admitted = ['a', 'a', 'b'].map((address) => arrivals.admit(address, 0))
  assert.deepEqual(admitted, [true, false, true])
})

test('Arrivals takes back the connection of a known client', () => {
  const arrivals = new Arrivals({ ...LIMITS, burst: 1 })
  arrivals.admit('a', 0)
  arrivals.excuse('a')
  assert.equal(arrivals.admit('a', 0), true)
})

test('Arrivals forgets no address that has just opened a connection', () => {
  const arrivals = new Arrivals({ ...LIMITS, burst: 1 })
  arrivals.admit('a', 0)
  arrivals.forgetOld(50)
  assert.equal(arrivals.admit('a', 50), false)
  arrivals.forgetOld(100)
  assert.equal(arrivals.admit('a', 100), true)
})
