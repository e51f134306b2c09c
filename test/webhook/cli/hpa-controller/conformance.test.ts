// Replays recordings of the real controllers of several versions, 200 random cases each: our HpaController makes the same
// decisions, without a cluster. test/e2e/hpa.e2e.ts makes the recordings and says how to renew them.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { HpaControllerOptions } from '../../../../webhook/cli/hpa-controller/controller.ts'
import { compare, plannedSyncs } from '../../../support/hpa-conformance.ts'
import { formatRecording, parseRecording } from '../../../support/hpa-recording.ts'

const FOLDER = join(import.meta.dirname, '../../../recordings/kubernetes/hpa')

/** All reasons that depend on the arithmetic. */
const REASONS = [
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
]

const RECORDINGS = readdirSync(FOLDER).map((name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8')
  return { name, text, recording: parseRecording(text) }
})

test('there are recordings of a server with the condition ScaledToZero, and of one without', () => {
  const options = RECORDINGS.map(({ recording }) => recording.options.scaleToZero)
  assert.deepEqual(new Set(options), new Set([false, true]))
})

for (const { name, text, recording } of RECORDINGS) {
  const { kubernetes, options, cases } = recording

  const verdicts = (changed: HpaControllerOptions = {}) =>
    cases.map(({ hpaCase, observed }, index) => ({
      case: index,
      ...compare(hpaCase, observed, { ...options, ...changed }),
    }))

  test(`HpaController decides like the controller of ${kubernetes} in every case`, () => {
    assert.equal(cases.length, 200)
    assert.deepEqual(
      verdicts().filter(({ kind }) => kind !== 'agrees'),
      [],
    )
  })

  test(`few syncs of ${kubernetes} are left out because a window ended too close to them`, () => {
    const compared = verdicts().reduce(
      (sum, verdict) => sum + (verdict.kind === 'agrees' ? verdict.syncs.length : 0),
      0,
    )
    const planned = cases.reduce((sum, { hpaCase }) => sum + plannedSyncs(hpaCase), 0)
    assert.ok(compared > 0.9 * planned, `${compared} of ${planned}`)
  })

  test(`the recording of ${kubernetes} has every reason that depends on the arithmetic`, () => {
    const seen = verdicts().flatMap((verdict) =>
      verdict.kind === 'agrees'
        ? verdict.syncs.flatMap(({ status }) => Object.values(status.conditions))
        : [],
    )
    const more = options.scaleToZero === true ? ['False NotScaledToZero'] : []
    assert.deepEqual([...new Set(seen)].sort(), [...REASONS, ...more].sort())
  })

  for (const changed of [
    { tolerance: 0.09 },
    { tolerance: 0.11 },
    { downscaleStabilizationSeconds: 300 },
    { scaleToZero: options.scaleToZero !== true },
    { minor: options.minor === 32 ? 37 : 32 },
  ]) {
    test(`HpaController decides unlike ${kubernetes} with ${JSON.stringify(changed)}`, () => {
      assert.ok(verdicts(changed).some(({ kind }) => kind !== 'agrees'))
    })
  }

  test(`the recording ${name} is of that version, and is written as it is read`, () => {
    assert.ok(kubernetes.startsWith(`v${name.replace('.jsonl', '')}`), kubernetes)
    assert.equal(formatRecording(recording), text)
  })
}
