// The meaning of Fluxion's settings.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillsLowFirst, refusesWideJobs } from '#flux/calls/fluxion.ts'

test('Fluxion with its defaults refuses wide jobs, and does not fill the lowest ranks first', () => {
  assert.equal(refusesWideJobs({}), true)
  assert.equal(fillsLowFirst({}), false)
})

test('refusesWideJobs is true for fcfs with a filter that counts nodes', () => {
  assert.equal(refusesWideJobs({ queuePolicy: 'conservative' }), false)
  assert.equal(refusesWideJobs({ pruneFilters: 'ALL:core' }), false)
  assert.equal(refusesWideJobs({ pruneFilters: 'ALL:core,cluster:node' }), true)
  // The filter counts the resource after the colon: here cores, below nodes.
  assert.equal(refusesWideJobs({ pruneFilters: 'node:core' }), false)
})

test('fillsLowFirst finds the name of the policy, also among other settings', () => {
  for (const matchPolicy of ['low', 'lonode', 'lonodex', 'policy=lonode set_x=true']) {
    assert.equal(fillsLowFirst({ matchPolicy }), true, matchPolicy)
  }
  for (const matchPolicy of ['first', 'high', 'hinode', 'locality', 'policy=high']) {
    assert.equal(fillsLowFirst({ matchPolicy }), false, matchPolicy)
  }
})
