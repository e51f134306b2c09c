import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agenda } from '#simulation/agenda.ts'
import { Instance } from '#simulation/instance.ts'
import { Pods } from '../../../../webhook/cli/simulate/pods.ts'

const TIMES = { reactionMs: 1_000, joinMs: 4_000, graceMs: 30_000 }

/** A MiniCluster of up to four pods, and its clock. */
function setUp(size: number) {
  const instance = new Instance({ maxSize: 4, up: size })
  const agenda = new Agenda()
  const pods = new Pods({ instance, agenda, times: TIMES, size })
  const startedAt = instance.now
  return {
    instance,
    pods,
    resize: (to: number) => pods.resize({ size: to, readAt: undefined }),
    /** Runs everything that is due until then. */
    goTo: (ms: number) => {
      while (agenda.nextAt !== undefined && agenda.nextAt <= startedAt + ms) {
        instance.tick(agenda.nextAt)
        agenda.next()
      }
      instance.tick(startedAt + ms)
    },
  }
}

test('a larger size creates pods, which join after some time', () => {
  const { instance, pods, resize, goTo } = setUp(1)
  resize(3)
  goTo(999)
  assert.deepEqual([pods.count, pods.size, pods.ready], [1, 1, 1])
  goTo(1_000)
  assert.deepEqual([pods.count, pods.size, pods.ready], [3, 3, 1])
  goTo(4_999)
  assert.deepEqual(instance.online, [0])
  goTo(5_000)
  assert.deepEqual(instance.online, [0, 1, 2])
  assert.equal(pods.ready, 3)
})

test('a smaller size ends the highest indices; their ranks stay up, and are given jobs, for the grace period', () => {
  const { instance, pods, resize, goTo } = setUp(4)
  resize(2)
  goTo(30_999)
  assert.deepEqual(instance.online, [0, 1, 2, 3])
  assert.deepEqual([pods.count, pods.size, pods.ready], [4, 2, 2])
  const job = instance.submit({ nodes: 3 })
  assert.equal(job.state, 'RUN')
  goTo(31_000)
  assert.deepEqual(instance.online, [0, 1])
  assert.deepEqual([pods.count, pods.ready], [2, 2])
  assert.equal(job.result, 'failed')
  assert.equal(pods.resizeThatEnded(2)?.size, 2)
  assert.equal(pods.resizeThatEnded(1), undefined)
})

test('a pod that is needed again while it ends is replaced when it has ended', () => {
  const { instance, resize, goTo } = setUp(4)
  resize(2)
  goTo(10_000)
  resize(4)
  goTo(30_999)
  assert.deepEqual(instance.online, [0, 1, 2, 3])
  goTo(31_000)
  assert.deepEqual(instance.online, [0, 1])
  goTo(35_000)
  assert.deepEqual(instance.online, [0, 1, 2, 3])
})

test('a pod that is needed again while it ends, and then not, is not replaced', () => {
  const { instance, pods, resize, goTo } = setUp(4)
  resize(2)
  goTo(10_000)
  resize(4)
  goTo(15_000)
  resize(2)
  goTo(60_000)
  assert.deepEqual(instance.online, [0, 1])
  assert.equal(pods.count, 2)
})

test('a pod that is ended before it joined never joins', () => {
  const { instance, pods, resize, goTo } = setUp(1)
  resize(3)
  goTo(2_000)
  resize(2)
  goTo(60_000)
  assert.deepEqual(instance.online, [0, 1])
  assert.equal(pods.count, 2)
})
