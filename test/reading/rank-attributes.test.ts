// Ranks without a name. There is one rule: R names every rank, or which rank has which name is not known, and with it nothing
// that depends on names. No rank is taken for one that no host name can mean.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConstraint } from '#flux/calls/constraint.ts'
import { formatIdset } from '#flux/sets/idset.ts'
import { acceptedRanks, rankAttributes } from '#reading/jobs/constrained-ranks.ts'
import { ranksWith } from '../support/snapshots.ts'

const NOTHING = ranksWith('', { cores: '0' })

/** The attributes of four ranks of R, of which rank 2 is excluded or another cluster's. */
function attributesWith(hostlists: readonly string[]) {
  const sets = { all: ranksWith('0-1,3-4', { cores: '0' }), allocated: NOTHING, down: NOTHING }
  return rankAttributes({ ...sets, hostlists, properties: new Map() })
}

test('hosts are those of the ranks of R in their order, whatever ranks are left out', () => {
  const attributes = attributesWith(['a[0-1]', 'a[3-4]'])
  const ranks = (constraint: object) =>
    formatIdset(acceptedRanks(parseConstraint(constraint), attributes))
  assert.equal(ranks({ hostlist: ['a3'] }), '3')
  assert.equal(ranks({ not: [{ hostlist: ['a[0-3]'] }] }), '4')
})

for (const hostlists of [[], [''], ['a[0-2]'], ['a[0-4]'], ['a[0-2]', '']]) {
  test(`no constraint on hosts is judged if R names ${JSON.stringify(hostlists)} for four ranks`, () => {
    const attributes = attributesWith(hostlists)
    for (const constraint of [{ hostlist: ['a0'] }, { not: [{ hostlist: ['a0'] }] }]) {
      assert.throws(() => acceptedRanks(parseConstraint(constraint), attributes), {
        code: 'FLUX_PROTOCOL',
        message: /^Cannot find hosts in R: expected 4 hosts, got \d$/,
      })
    }
    assert.equal(
      formatIdset(acceptedRanks(parseConstraint({ ranks: ['0-3'] }), attributes)),
      '0-1,3',
    )
  })
}
