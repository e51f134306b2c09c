// Pods and Events into which anybody wrote anything: nothing throws, and what is said stays short and plain.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toSaid } from '../../../../webhook/gateway/shortage/event.ts'
import { obstacleOf, toRankPod } from '../../../../webhook/gateway/shortage/rank-pod.ts'
import { autoscalerCause, refusalCause } from '../../../../webhook/gateway/shortage/reasons.ts'
import { type ShortGroup, shortageOf } from '../../../../webhook/gateway/shortage/shortage.ts'
import { explainShortage, sentencesOf } from '../../../../webhook/gateway/shortage/words.ts'
import { broken, JOB, refused, running, unscheduled } from './pods.ts'

const FIELDS = ['metadata', 'spec', 'status', 'source', 'series', 'firstTimestamp', 'message']

/** An object of which one field, or a field of a field, is anything. */
const objects = fc
  .tuple(
    fc.constantFrom(running(3), unscheduled(3), refused()),
    fc.constantFrom(...FIELDS),
    fc.jsonValue(),
    fc.option(fc.constantFrom('labels', 'ownerReferences', 'conditions', 'nodeName', 'uid')),
  )
  .map(([object, field, value, inner]) => {
    const before = Object.entries(object).find(([name]) => name === field)?.[1]
    const isMap = typeof before === 'object' && before !== null && inner !== null
    return broken(object, { [field]: isMap ? { ...before, [inner]: value } : value })
  })

test('no object throws, whatever its fields are', () => {
  fc.assert(
    fc.property(objects, (object) => {
      const pod = toRankPod(object, JOB)
      assert.ok(pod === undefined || (pod.rank === 3 && pod.uid !== ''))
      const cause = obstacleOf(object)?.cause ?? ''
      const said = toSaid(object)
      const words = said === undefined ? [] : [autoscalerCause(said), refusalCause(said.message)]
      for (const text of [cause, ...words]) {
        assert.ok(text.length < 400)
        assert.doesNotMatch(text, /[\p{C}\n]/u)
      }
    }),
  )
})

const pods = fc.array(
  fc.record({
    rank: fc.nat(20),
    uid: fc.constantFrom('a', 'b', 'c', 'd'),
    createdAt: fc.nat(200_000),
  }),
  { maxLength: 30 },
)

test('each wanted rank is in one group at most, and never more than the size are unavailable', () => {
  fc.assert(
    fc.property(fc.nat(15), pods, pods, fc.boolean(), (size, all, unscheduled, isRefused) => {
      const refusal = { reason: 'FailedCreate', component: '', message: 'a', firstAt: 0 }
      const shortage = shortageOf({
        readAt: 200_000,
        size,
        pods: all,
        unscheduled,
        obstacles: new Map([['a', { kind: 'unscheduled', cause: 'b' }]]),
        refusals: isRefused ? [{ ...refusal, lastAt: 200_000 }] : [],
      })
      assert.ok(shortage.unavailable <= size)
      const ranks = shortage.groups.flatMap(listed)
      assert.equal(new Set(ranks).size, ranks.length)
      assert.ok(ranks.every((rank) => rank < size))
      assert.ok(shortage.unavailable <= ranks.length)
      assert.equal(explainShortage(shortage).unavailable, shortage.unavailable)
      assert.ok(sentencesOf(shortage).length <= 6)
    }),
  )
})

function listed({ ranks }: ShortGroup): readonly number[] {
  return ranks.ranges.flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  )
}
