import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClusterError } from '../../../webhook/kubernetes/cluster.ts'
import { Outage } from '../../../webhook/kubernetes/outage.ts'
import { memoryLog } from '../../support/memory-log.ts'

const CANNOT = 'cannot keep certificates up to date: trying again'
const AGAIN = 'can keep certificates up to date again'

function setUp() {
  const { log, lines } = memoryLog()
  return {
    outage: new Outage(log, 'keep certificates up to date'),
    logged: () => lines.map(({ level, msg }) => [level, msg]),
  }
}

test('Outage logs nothing while the task succeeds', () => {
  const { outage, logged } = setUp()
  outage.report([])
  outage.report([])
  assert.deepEqual([logged(), outage.reason], [[], undefined])
})

test('Outage logs once that the API server is not reachable, and once that it is again', () => {
  const { outage, logged } = setUp()
  for (const why of ['refused', 'timed out', 'refused']) outage.report([new ClusterError(0, why)])
  assert.equal(outage.reason, 'refused')
  for (const failures of [[], []]) outage.report(failures)
  assert.deepEqual(logged(), [
    ['warn', CANNOT],
    ['info', AGAIN],
  ])
  assert.equal(outage.reason, undefined)
})

test('Outage logs when the kind of failure changes', () => {
  const { outage, logged } = setUp()
  outage.report([new ClusterError(0, 'refused'), new ClusterError(403, 'forbidden')])
  outage.report([new ClusterError(403, 'forbidden')])
  outage.report([new Error('Cannot use the Secret')])
  outage.report([new Error('Cannot use the Secret')])
  assert.deepEqual(logged(), [
    ['warn', CANNOT],
    ['warn', CANNOT],
    ['error', CANNOT],
  ])
  assert.equal(outage.reason, 'Cannot use the Secret')
})
