import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agenda } from '#simulation/agenda.ts'
import { Instance } from '#simulation/instance.ts'
import { POD_TIMES, Pods, type PodTimes } from '../../../../webhook/cli/simulate/pods.ts'

const TIMES = { ...POD_TIMES, reactionMs: 1_000, joinMs: 4_000, graceMs: 30_000 }

/** A MiniCluster of up to four pods, and its clock. */
function setUp(size: number, times: Partial<PodTimes> = {}, available?: number) {
  const instance = new Instance({ maxSize: 4, up: size })
  const agenda = new Agenda()
  const pods = new Pods({
    ...{ instance, agenda, size },
    times: { ...TIMES, ...times },
    ...(available !== undefined && { available }),
  })
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

test('Flux finds out later that a pod is gone, at the latest when its successor joins', () => {
  const { instance, resize, goTo } = setUp(2, { lossMs: [5_000, 60_000] })
  resize(1)
  goTo(35_999)
  assert.deepEqual(instance.online, [0, 1])
  goTo(36_000)
  assert.deepEqual(instance.online, [0])
  resize(2)
  goTo(41_000)
  assert.deepEqual(instance.online, [0, 1])
  resize(1)
  goTo(45_000)
  resize(2)
  // The pod is gone at 72 s, and its successor comes 4 s later.
  goTo(76_000)
  const names = instance.changes.slice(-2).map(({ name, at }) => [name, at - instance.startedAt])
  assert.deepEqual(names, [
    ['offline', 76_000],
    ['online', 76_000],
  ])
})

test('a pod that is ended while its broker starts comes all the same, for its grace', () => {
  const { instance, resize, goTo } = setUp(1, { bootMs: 3_000 })
  resize(2)
  goTo(1_500)
  resize(1)
  goTo(5_000)
  assert.deepEqual(instance.online, [0, 1])
  goTo(32_500)
  assert.deepEqual(instance.online, [0])
})

test('a broker that blips comes again while its pod is there, and not when it is gone', () => {
  const { instance, pods, resize, goTo } = setUp(2)
  pods.blip(1, 500)
  assert.deepEqual(instance.online, [0])
  goTo(500)
  assert.deepEqual(instance.online, [0, 1])
  resize(1)
  goTo(31_000)
  pods.blip(1, 5_000)
  goTo(40_000)
  assert.deepEqual(instance.online, [0])
  pods.blip(1, 5_000)
  pods.blip(3, 5_000)
  goTo(50_000)
  assert.deepEqual(instance.online, [0])
})

test('pods take times that come in turn', () => {
  const { instance, resize, goTo } = setUp(1, { joinMs: [4_000, 600_000] })
  resize(3)
  goTo(600_999)
  assert.deepEqual(instance.online, [0, 1])
  goTo(601_000)
  assert.deepEqual(instance.online, [0, 1, 2])
})

test('pods beyond the nodes that can be had wait, end at once, and get a node when another pod has ended', () => {
  const { instance, pods, resize, goTo } = setUp(1, {}, 2)
  resize(4)
  goTo(60_000)
  assert.deepEqual(instance.online, [0, 1])
  assert.deepEqual([pods.count, pods.nodes, pods.ready], [4, 2, 2])
  resize(1)
  goTo(61_000)
  assert.deepEqual([pods.count, pods.nodes], [2, 2])
  resize(3)
  goTo(62_000)
  assert.deepEqual([pods.count, pods.nodes], [3, 2])
  goTo(95_000)
  // The node of the pod that has ended went to the one that waited.
  assert.deepEqual(instance.online, [0, 2])
  assert.deepEqual([pods.count, pods.nodes], [3, 2])
  assert.equal(instance.nodes[1]?.online, false)
})
