// An explanation as the command line reads it, of this release and of others.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '#explaining/explanation.ts'
import { readExplanation } from '../../../../../webhook/cli/input/cluster/explanation.ts'
import { snapshotOf } from '../../../../support/snapshots.ts'

const SNAPSHOT = snapshotOf()
const EXPLANATION = explain(SNAPSHOT, SNAPSHOT.takenAt)

function read(changes: object) {
  const explanation = readExplanation(JSON.stringify({ ...EXPLANATION, ...changes }))
  assert.ok(typeof explanation === 'object', String(explanation))
  return explanation
}

test('each sentence has its code', () => {
  const { reasons, warnings, unknowns } = read({})
  const notices = [...reasons, ...warnings, ...unknowns]
  assert.ok(reasons.length > 0 && warnings.length > 0)
  assert.deepEqual(
    notices,
    EXPLANATION.notices.map(({ text, code }) => ({ text, code })),
  )
})

for (const [what, notices] of [
  ['a sidecar of an older release', undefined],
  ['notices of another form', [{ code: 7 }]],
  ['no notice of these texts', [{ kind: 'warning', code: 'jobs-held', text: 'another' }]],
  ['a notice of another kind', [{ kind: 'reason', code: 'a', text: EXPLANATION.warnings[0] }]],
] as const) {
  test(`with ${what} the sentences are there, without codes`, () => {
    const { warnings } = read({ notices })
    assert.deepEqual(
      warnings,
      EXPLANATION.warnings.map((text) => ({ text, code: null })),
    )
  })
}

test('what a gateway of an older release added to a sidecar with codes has none', () => {
  const added = 'rank 1 is not there: its pod has not been created yet'
  const { warnings } = read({ warnings: [...EXPLANATION.warnings, added] })
  assert.deepEqual(warnings.at(-1), { text: added, code: null })
  assert.notEqual(warnings[0]?.code, null)
})
