// Drains that Flux does not show, because the ranks were drained by a sidecar before: what the resource journal tells of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Drain, DrainEvent } from '#flux/calls/resource-calls.ts'
import { formatIdset, parseIdset } from '#flux/sets/idset.ts'
import { drainReason } from '#scaling/drain-reason.ts'
import { HiddenDrains } from '#scaling/hidden-drains.ts'

const OURS = drainReason('default/flux-sample', 2)
const SMALL = 'rank 3 has missing resources: core[2-3]'

function drained(ranks: string, reason: string, overwrites = false): DrainEvent {
  return { kind: 'drain', ranks: parseIdset(ranks), reason, overwrites }
}

function undrained(ranks: string): DrainEvent {
  return { kind: 'undrain', ranks: parseIdset(ranks), reason: '', overwrites: false }
}

/** The ranks of 2 to 5, which are drained by us, by the reason that they are shown with. */
function shownAfter(...events: readonly DrainEvent[]): Record<string, string> {
  const hidden = new HiddenDrains()
  hidden.note({ events, isPast: true })
  return shownBy(hidden)
}

function shownBy(hidden: HiddenDrains): Record<string, string> {
  const drains: readonly Drain[] = [{ ranks: parseIdset('2-5'), reason: OURS, drainedAt: 1 }]
  const shown = hidden.reveal(drains)
  return Object.fromEntries(shown.map(({ ranks, reason }) => [reason, formatIdset(ranks)]))
}

test('HiddenDrains shows a drain by Flux of a rank that was drained by us', () => {
  const shown = shownAfter(drained('2-5', OURS), drained('3', SMALL))
  assert.deepEqual(shown, { [OURS]: '2,4-5', [SMALL]: '3' })
})

test('HiddenDrains shows our drain as it is if nobody drained the rank after us', () => {
  assert.deepEqual(shownAfter(drained('2-5', OURS)), { [OURS]: '2-5' })
  assert.deepEqual(shownAfter(), { [OURS]: '2-5' })
})

test('HiddenDrains forgets a drain with the undrain of its rank', () => {
  const events = [drained('3-4', SMALL), undrained('3'), drained('2-5', OURS)]
  assert.deepEqual(shownAfter(drained('2-5', OURS), ...events.slice(0, 2)), {
    [OURS]: '2-3,5',
    [SMALL]: '4',
  })
  assert.deepEqual(shownAfter(...events), { [OURS]: '2-5' })
})

test('HiddenDrains leaves a drain that took the place of ours to Flux, which shows it', () => {
  assert.deepEqual(shownAfter(drained('3', SMALL), drained('3', 'fan', true)), { [OURS]: '2-5' })
})

test('HiddenDrains shows the latest of several reasons, and what all of them left', () => {
  const events = [drained('3-4', SMALL), drained('4-5', 'fan'), drained('2', '')]
  assert.deepEqual(shownAfter(...events), { [SMALL]: '3', fan: '4-5', '': '2' })
})

test('HiddenDrains begins anew with the past of another connection', () => {
  const hidden = new HiddenDrains()
  hidden.note({ events: [drained('3', SMALL)], isPast: true })
  hidden.note({ events: [drained('4', 'fan')], isPast: false })
  assert.deepEqual(shownBy(hidden), { [OURS]: '2,5', [SMALL]: '3', fan: '4' })
  hidden.note({ events: [], isPast: true })
  assert.deepEqual(shownBy(hidden), { [OURS]: '2-5' })
})

test('HiddenDrains shows drains by others as they are', () => {
  const hidden = new HiddenDrains()
  hidden.note({ events: [drained('3', SMALL)], isPast: true })
  const drains: readonly Drain[] = [{ ranks: parseIdset('3'), reason: 'fan', drainedAt: 1 }]
  assert.deepEqual(hidden.reveal(drains), drains)
})

test('HiddenDrains does not list the ranks of an absurd event', () => {
  const shown = shownAfter(drained('3', SMALL), undrained('4-4294967295'), drained('5', SMALL))
  assert.deepEqual(shown, { [OURS]: '2,4', [SMALL]: '3,5' })
})
