// The settings of Fluxion, from what Fluxion answers and from the broker's configuration.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FluxionSettings } from '#flux/calls/fluxion.ts'
import { toFluxionSettings } from '#reading/fluxion-settings.ts'

const GOOD: FluxionSettings = {
  queuePolicy: 'fcfs',
  matchPolicy: 'lonode',
  pruneFilters: 'ALL:core',
}

test('toFluxionSettings reads the configuration, and ignores values of another shape', () => {
  const config = {
    'sched-fluxion-resource': { 'match-policy': 'lonode', 'prune-filters': 'ALL:core' },
  }
  const fcfs = { policy: 'fcfs', matching: undefined }
  const easy = { policy: 'easy', matching: undefined }
  assert.deepEqual(toFluxionSettings(fcfs, config), GOOD)
  const none = { queuePolicy: 'easy', matchPolicy: undefined, pruneFilters: undefined }
  assert.deepEqual(toFluxionSettings(easy, {}), none)
  assert.deepEqual(toFluxionSettings(easy, { 'sched-fluxion-resource': 'lonode' }), none)
  const wrong = { 'sched-fluxion-resource': { 'match-policy': 1, 'prune-filters': ['ALL:core'] } }
  assert.deepEqual(toFluxionSettings(easy, wrong), none)
})

test('toFluxionSettings prefers the settings in force to the configuration', () => {
  const config = { 'sched-fluxion-resource': { 'match-policy': 'high' } }
  const matching = { policy: 'lonode', pruneFilters: 'ALL:core' }
  assert.deepEqual(toFluxionSettings({ policy: 'fcfs', matching }, config), GOOD)
})

test('toFluxionSettings has no settings where the scheduler is not Fluxion', () => {
  const other = { policy: undefined, matching: undefined }
  assert.equal(toFluxionSettings(other, {}), undefined)
})
