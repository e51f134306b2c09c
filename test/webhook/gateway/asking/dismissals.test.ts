import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Dismissals } from '../../../../webhook/gateway/asking/dismissals.ts'
import { memoryLog } from '../../../support/memory-log.ts'
import { podOf } from './fleet.ts'

const PEER = podOf({ namespace: 'team-a', minicluster: 'flux-sample' }, 8443)

test('a new sidecar is asked again soon, and a copy with its labels rarely', () => {
  let now = 0
  const { log, lines } = memoryLog()
  const dismissals = new Dismissals({ clock: () => now, log })
  const lengths: number[] = []
  for (let times = 0; times < 9; times += 1) {
    dismissals.add(PEER, 'is not its sidecar')
    const from = now
    while (dismissals.whyNot(PEER) !== undefined) now += 500
    lengths.push((now - from) / 1000)
  }
  assert.deepEqual(lengths, [0.5, 1, 2, 4, 8, 16, 30, 30, 30])
  assert.equal(lines.length, 1)
})

test('with another CA every pod is asked again', () => {
  const dismissals = new Dismissals({ clock: () => 0, log: memoryLog().log })
  dismissals.add(PEER, 'is not its sidecar')
  assert.equal(dismissals.whyNot(PEER), 'is not its sidecar')
  dismissals.forget()
  assert.equal(dismissals.whyNot(PEER), undefined)
})
