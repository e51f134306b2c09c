import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOverview } from '../../../../webhook/cli/dashboard/overview.ts'

const ROW = {
  namespace: 'a',
  minicluster: 'one',
  summary: 'desired 3',
  desired: 3,
  present: 2,
  floor: null,
  pending: 1,
  problems: 0,
  problem: null,
}

test('a list of the gateway is read, without fields that are not shown', () => {
  const lost = { namespace: 'a', minicluster: 'two', reason: 'silent' }
  const text = JSON.stringify({ miniclusters: [{ ...ROW, later: 1 }, lost], more: 0, later: 2 })
  assert.deepEqual(readOverview(text), { miniclusters: [ROW, lost], more: 0 })
})

test('anything else is none', () => {
  for (const text of ['', '{}', '{"items":[]}', '{"miniclusters":[{"namespace":"a"}],"more":0}']) {
    assert.equal(readOverview(text), undefined)
  }
})
