// Replays what the real controller made of 200 random cases: our Hpa comes to the same, without a cluster. The recording
// is of test/e2e/hpa.e2e.ts, which tells how to make it anew.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { HpaOptions } from '../../../../../webhook/cli/simulate/hpa-controller/controller.ts'
import { compare, plannedSyncs } from '../../../../support/hpa-conformance.ts'
import { formatRecording, parseRecording } from '../../../../support/hpa-recording.ts'

const PATH = join(import.meta.dirname, '../../../../recordings/kubernetes/hpa.jsonl')
const TEXT = readFileSync(PATH, 'utf8')
const { options, cases } = parseRecording(TEXT)

function verdicts(changed: HpaOptions = {}) {
  return cases.map(({ hpaCase, observed }, index) => ({
    case: index,
    ...compare(hpaCase, observed, { ...options, ...changed }),
  }))
}

test('Hpa comes to what the real controller came to, in every case', () => {
  assert.equal(cases.length, 200)
  assert.deepEqual(
    verdicts().filter(({ kind }) => kind !== 'agrees'),
    [],
  )
})

test('few syncs are left out because a window ended too near to them', () => {
  const compared = verdicts().reduce(
    (sum, verdict) => sum + (verdict.kind === 'agrees' ? verdict.syncs.length : 0),
    0,
  )
  const planned = cases.reduce((sum, { hpaCase }) => sum + plannedSyncs(hpaCase), 0)
  assert.ok(compared > 0.9 * planned, `${compared} of ${planned}`)
})

test('every reason that depends on the arithmetic came up', () => {
  const seen = verdicts().flatMap((verdict) =>
    verdict.kind === 'agrees'
      ? verdict.syncs.flatMap(({ status }) => Object.values(status.conditions))
      : [],
  )
  assert.deepEqual([...new Set(seen)].sort(), [
    'False DesiredWithinRange',
    'False FailedGetExternalMetric',
    'False FailedGetObjectMetric',
    'False ScalingDisabled',
    'True ReadyForNewScale',
    'True ScaleDownLimit',
    'True ScaleDownStabilized',
    'True ScaleUpLimit',
    'True ScaleUpStabilized',
    'True SucceededGetScale',
    'True SucceededRescale',
    'True TooFewReplicas',
    'True TooManyReplicas',
    'True ValidMetricFound',
  ])
})

for (const changed of [
  { tolerance: 0.09 },
  { tolerance: 0.11 },
  { downscaleStabilizationSeconds: 300 },
]) {
  test(`Hpa comes to something else with ${JSON.stringify(changed)}`, () => {
    assert.ok(verdicts(changed).some(({ kind }) => kind !== 'agrees'))
  })
}

test('a recording is written as it was read', () => {
  assert.equal(formatRecording(parseRecording(TEXT)), TEXT)
})
