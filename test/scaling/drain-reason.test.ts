import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drainReason, isOwnReason, isSidecarReason } from '#scaling/drain-reason.ts'

test('drainReason identifies its instance', () => {
  const reason = drainReason('flux-sample', 4)
  assert.equal(reason, 'flux-metrics/flux-sample: scale-down to 4')
  assert.equal(isOwnReason('flux-sample', reason), true)
  assert.equal(isOwnReason('flux', reason), false)
  assert.equal(isOwnReason('flux-sample-2', reason), false)
  for (const text of ['', 'maintenance', 'scale-down to 4', 'see flux-metrics/flux-sample: why']) {
    assert.equal(isOwnReason('flux-sample', text), false, text)
    assert.equal(isSidecarReason(text), false, text)
  }
  assert.equal(isSidecarReason(reason), true)
})
