import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unknownsOf } from '#explaining/notices/unknowns.ts'
import type { FluxionSettings } from '#flux/calls/fluxion.ts'
import type { WaitingJob } from '#reading/facts.ts'
import { unknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { snapshotOf } from '../../support/snapshots.ts'
import { requestFor, waitingFor, waitingJob } from '../../support/waiting.ts'

function unknowns(changes: Partial<Snapshot> = {}): readonly string[] {
  return unknownsOf(snapshotOf(changes)).map(({ text }) => text)
}

test('unknownsOf is empty if everything is known', () => {
  assert.deepEqual(unknowns(), [])
})

test('unknownsOf says that too many jobs failed to list them', () => {
  assert.deepEqual(unknowns({ failed: unknown('too many jobs failed lately to list them') }), [
    'the refused jobs: too many jobs failed lately to list them',
  ])
})

test('unknownsOf names GPUs only if a job waits that may ask for some', () => {
  const reason = 'Flux does not show guests'
  const idle = {
    kind: 'known',
    jobs: [],
    total: 0,
    lacksStartable: false,
    unknownRequests: unknown(reason),
  } as const
  assert.deepEqual(unknowns({ waiting: idle }), [])
  const busy = { ...idle, jobs: [waitingJob({ nnodes: 1 })], total: 1 }
  assert.deepEqual(unknowns({ waiting: busy }), [
    `the GPUs of pending jobs: ${reason}`,
    ...unknowns({ waiting: { ...busy, unknownRequests: undefined } }),
  ])
})

test('unknownsOf says what guests do not see of jobs that could start', () => {
  const unknownsWith = (changes: Partial<WaitingJob>, fluxion?: FluxionSettings) =>
    unknowns({ waiting: waitingFor(waitingJob(changes)), fluxion })
  const reason = 'Flux does not show this to guests: run the sidecar with the UID of the broker '
  const shown = (texts: readonly string[]) => texts.map((one) => one.slice(0, one.indexOf('(')))
  assert.deepEqual(shown(unknownsWith({})), [`the constraints of pending jobs: ${reason}`])
  const policies = { queuePolicy: 'fcfs', matchPolicy: undefined, pruneFilters: undefined }
  assert.deepEqual(shown(unknownsWith({}, policies)), [
    `the constraints of pending jobs and whether each job gets whole nodes: ${reason}`,
  ])
  assert.deepEqual(shown(unknownsWith({}, { ...policies, matchPolicy: 'lonode' })), [
    `the constraints of pending jobs: ${reason}`,
  ])
  assert.deepEqual(unknownsWith({ state: 'DEPEND' }), [])
  const part = { nodes: 1, slots: 1, cores: 1, gpus: 0, exclusive: false }
  assert.deepEqual(unknownsWith({ request: requestFor(part) }, policies), [])
})

test('unknownsOf says values of one cause in one sentence, under the code of the first', () => {
  const hidden = unknown('Flux hides jobs from the sidecar')
  const [first, ...others] = unknownsOf(snapshotOf({ failed: hidden, demand: hidden }))
  assert.deepEqual(first, {
    kind: 'unknown',
    code: 'demand-unknown',
    text: 'the demand and the refused jobs: Flux hides jobs from the sidecar',
  })
  assert.deepEqual(others, [])
})
