import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClusterError } from '../../../webhook/kubernetes/cluster.ts'
import { Outage } from '../../../webhook/kubernetes/outage.ts'
import { memoryLog } from '../../support/memory-log.ts'

const CANNOT = 'cannot keep certificates up to date: trying again'
const AGAIN = 'can keep certificates up to date again'

function outage() {
  const { log, lines } = memoryLog()
  return {
    outage: new Outage(log, 'keep certificates up to date'),
    said: () => lines.map(({ level, msg }) => [level, msg]),
  }
}

test('Outage is silent while all is well', () => {
  const { outage: told, said } = outage()
  told.report([])
  told.report([])
  assert.deepEqual([said(), told.reason], [[], undefined])
})

test('Outage tells once that the API server is away, and once that it is back', () => {
  const { outage: told, said } = outage()
  for (const why of ['refused', 'timed out', 'refused']) told.report([new ClusterError(0, why)])
  assert.equal(told.reason, 'refused')
  for (const failures of [[], []]) told.report(failures)
  assert.deepEqual(said(), [
    ['warn', CANNOT],
    ['info', AGAIN],
  ])
  assert.equal(told.reason, undefined)
})

test('Outage tells when the kind of failure changes', () => {
  const { outage: told, said } = outage()
  told.report([new ClusterError(0, 'refused'), new ClusterError(403, 'forbidden')])
  told.report([new ClusterError(403, 'forbidden')])
  told.report([new Error('Cannot use the Secret')])
  told.report([new Error('Cannot use the Secret')])
  assert.deepEqual(said(), [
    ['warn', CANNOT],
    ['warn', CANNOT],
    ['error', CANNOT],
  ])
  assert.equal(told.reason, 'Cannot use the Secret')
})
