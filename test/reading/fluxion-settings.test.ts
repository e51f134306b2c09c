// Settings of Fluxion, out of the broker's configuration and of what Fluxion tells.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FluxionSettings } from '#flux/calls/fluxion.ts'
import { readFluxionSettings } from '#reading/fluxion-settings.ts'

const GOOD: FluxionSettings = {
  queuePolicy: 'fcfs',
  matchPolicy: 'lonode',
  pruneFilters: 'ALL:core',
}

test('readFluxionSettings reads what is configured, and nothing of another shape', () => {
  const config = {
    'sched-fluxion-resource': { 'match-policy': 'lonode', 'prune-filters': 'ALL:core' },
  }
  assert.deepEqual(readFluxionSettings('fcfs', config), GOOD)
  const none = { queuePolicy: 'easy', matchPolicy: undefined, pruneFilters: undefined }
  assert.deepEqual(readFluxionSettings('easy', {}), none)
  assert.deepEqual(readFluxionSettings('easy', { 'sched-fluxion-resource': 'lonode' }), none)
  const wrong = { 'sched-fluxion-resource': { 'match-policy': 1, 'prune-filters': ['ALL:core'] } }
  assert.deepEqual(readFluxionSettings('easy', wrong), none)
})

test('readFluxionSettings prefers what is in force to what is configured', () => {
  const config = { 'sched-fluxion-resource': { 'match-policy': 'high' } }
  const matching = { policy: 'lonode', pruneFilters: 'ALL:core' }
  assert.deepEqual(readFluxionSettings('fcfs', config, matching), GOOD)
})
