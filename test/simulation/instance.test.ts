// Jobs and nodes of a whole simulated instance.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Instance, type InstanceOptions, type Job } from '#simulation/instance.ts'

const NOW = new Date('2026-11-24T00:00:00Z')

function instanceOf(options: Partial<InstanceOptions> = {}): Instance {
  return new Instance({ maxSize: 4, coresPerNode: 4, now: NOW, ...options })
}

function ranksOf({ allocations }: Job): number[] {
  return allocations.map(({ node }) => node.rank)
}

test('a job for whole nodes starts on the lowest ranks that are idle', () => {
  const instance = instanceOf()
  instance.submit({ cores: 1 })
  assert.deepEqual(ranksOf(instance.submit({ nodes: 2 })), [1, 2])
})

test('a job for cores uses the free cores of busy nodes', () => {
  const instance = instanceOf()
  instance.submit({ cores: 3 })
  const job = instance.submit({ cores: 6 })
  assert.deepEqual(
    job.allocations.map(({ node, cores }) => [node.rank, cores]),
    [
      [0, [3]],
      [1, [0, 1, 2, 3]],
      [2, [0]],
    ],
  )
})

test('a job gets its cores on the nodes of its GPUs', () => {
  const instance = instanceOf({ gpusPerNode: 2 })
  const job = instance.submit({ cores: 6, gpus: 3 })
  assert.deepEqual(
    job.allocations.map(({ cores, gpus }) => [cores.length, gpus.length]),
    [
      [4, 2],
      [2, 1],
    ],
  )
})

test('no job starts before the first waiting job', () => {
  const instance = instanceOf()
  instance.submit({ nodes: 3 })
  const blocked = instance.submit({ nodes: 2 })
  const small = instance.submit({ cores: 1 })
  assert.deepEqual([blocked.state, small.state], ['SCHED', 'SCHED'])
})

test('a job with a higher urgency starts first, a held job never', () => {
  const instance = instanceOf({ up: 0 })
  const [held, normal, urgent] = [0, 16, 31].map((urgency) =>
    instance.submit({ nodes: 1, urgency }),
  )
  instance.up(0)
  assert.deepEqual([held?.state, normal?.state, urgent?.state], ['SCHED', 'SCHED', 'RUN'])
})

test('a waiting job starts when a node is up', () => {
  const instance = instanceOf({ up: 1 })
  const job = instance.submit({ nodes: 2 })
  instance.up(3)
  assert.deepEqual([job.state, ranksOf(job)], ['RUN', [0, 3]])
})

test('a job of a queue uses only the nodes of that queue', () => {
  const instance = instanceOf({ queues: { batch: [0, 1, 2], debug: [3] } })
  assert.deepEqual(ranksOf(instance.submit({ queue: 'debug', nodes: 1 })), [3])
})

test('jobs of a stopped queue wait, jobs of other queues do not', () => {
  const instance = instanceOf({ queues: { batch: [0, 1, 2], debug: [3] } })
  const batch = instance.queue('batch')
  assert.ok(batch !== undefined)
  instance.setStarted(batch, false)
  const waiting = instance.submit({ queue: 'batch' })
  assert.equal(instance.submit({ queue: 'debug' }).state, 'RUN')
  assert.equal(waiting.state, 'SCHED')
  instance.setStarted(batch, true)
  assert.equal(waiting.state, 'RUN')
})

test('submit refuses an unknown queue', () => {
  assert.throws(() => instanceOf().submit({ queue: 'batch' }), /there is no queue "batch"/)
})

test('a job with hidden ranks starts on no others, and waits for ever if they are not enough', () => {
  const instance = instanceOf({ up: 3 })
  const job = instance.submit({ nodes: 1, hiddenRanks: [3] })
  assert.equal(job.state, 'SCHED')
  instance.up(3)
  assert.deepEqual(ranksOf(job), [3])
  assert.equal(instance.submit({ nodes: 1, hiddenRanks: [] }).state, 'SCHED')
})

test('a job that can never run fails when it is the first waiting job', () => {
  const instance = instanceOf()
  const job = instance.submit({ nodes: 5 })
  assert.deepEqual([job.state, job.result, job.exception?.type], ['INACTIVE', 'failed', 'alloc'])
})

test('a job for more nodes than are up waits, or fails with refusesMoreThanUp', () => {
  const waits = instanceOf({ up: 2 }).submit({ nodes: 3 })
  const fails = instanceOf({ up: 2, refusesMoreThanUp: true }).submit({ nodes: 3 })
  assert.deepEqual([waits.state, fails.result], ['SCHED', 'failed'])
})

test('jobs wait behind one that needs nodes which are down, or pass it with passesAbsent', () => {
  for (const passesAbsent of [false, true]) {
    const instance = instanceOf({ up: 2, passesAbsent })
    const wide = instance.submit({ nodes: 3 })
    const small = instance.submit({ nodes: 1 })
    assert.deepEqual([wide.state, small.state], ['SCHED', passesAbsent ? 'RUN' : 'SCHED'])
    // This one fits on what is up: nobody passes it.
    const next = instance.submit({ nodes: 2 })
    const last = instance.submit({ nodes: 1 })
    assert.deepEqual([next.state, last.state], ['SCHED', 'SCHED'])
    instance.up(2)
    instance.up(3)
    assert.equal(wide.state, 'RUN')
  }
})

test('with fill "highest" the lowest nodes stay free', () => {
  assert.deepEqual(ranksOf(instanceOf({ fill: 'highest', up: 3 }).submit({ nodes: 1 })), [2])
})

test('a drained node gets no new job, and its running job continues', () => {
  const instance = instanceOf({ maxSize: 2 })
  const running = instance.submit({ cores: 1 })
  instance.drain([0], 'disk')
  const next = instance.submit({ cores: 4 })
  assert.deepEqual([running.state, ranksOf(next)], ['RUN', [1]])
})

test('an excluded node gets no job', () => {
  assert.deepEqual(ranksOf(instanceOf({ exclude: [0] }).submit()), [1])
})

test('the jobs of a node that goes down fail, and their other nodes are free', () => {
  const instance = instanceOf()
  const lost = instance.submit({ nodes: 2 })
  const other = instance.submit({ nodes: 1 })
  instance.down(1)
  assert.deepEqual([lost.state, lost.result, other.state], ['INACTIVE', 'failed', 'RUN'])
  assert.deepEqual(ranksOf(instance.submit({ nodes: 2 })), [0, 3])
})

test('lostPodCleanupMs keeps a failed job in CLEANUP, with its nodes allocated', () => {
  const instance = instanceOf({ lostPodCleanupMs: 25_000 })
  const lost = instance.submit({ nodes: 4 })
  instance.down(3)
  instance.advance(24_999)
  assert.deepEqual([lost.state, instance.nodes[0]?.idle], ['CLEANUP', false])
  instance.advance(1)
  assert.deepEqual([lost.state, instance.nodes[0]?.idle], ['INACTIVE', true])
})

test('a job with a duration ends successfully, and the next job starts at that moment', () => {
  const instance = instanceOf({ maxSize: 1 })
  const first = instance.submit({ nodes: 1, duration: 10 })
  const second = instance.submit({ nodes: 1, duration: 10 })
  instance.advance(15_000)
  assert.deepEqual([first.result, second.state], ['successful', 'RUN'])
  assert.equal(second.times.RUN, NOW.getTime() + 10_000)
  instance.advance(5_000)
  assert.equal(second.result, 'successful')
})

test('a job ends exactly at nextDue, also at a fraction of a millisecond', () => {
  const instance = instanceOf({ lostPodCleanupMs: 0.3 })
  const jobs = [{ duration: 10.0653 }, { timeLimit: 0.0004 }, { nodes: 1 }].map((request) =>
    instance.submit(request),
  )
  instance.down(1)
  // One job lost its node and is cleaned up, one exceeds its time limit, one ends by its duration.
  for (const ended of [1, 2, 3]) {
    instance.tick(instance.nextDue ?? Number.NaN)
    assert.equal(jobs.filter(({ state }) => state === 'INACTIVE').length, ended)
  }
  assert.equal(instance.nextDue, undefined)
})

test('a job that exceeds its time limit ends with a time-out', () => {
  const instance = instanceOf()
  const job = instance.submit({ nodes: 1, timeLimit: 5 })
  instance.advance(5_000)
  assert.equal(job.result, 'timeout')
})

test('a job waits in DEPEND until it is released', () => {
  const instance = instanceOf()
  const job = instance.submit({ dependency: 'after:1' })
  assert.equal(job.state, 'DEPEND')
  instance.release(job.id)
  assert.equal(job.state, 'RUN')
})

test('cancelAll ends running and waiting jobs', () => {
  const instance = instanceOf({ maxSize: 1 })
  const jobs = [instance.submit({ nodes: 1 }), instance.submit({ nodes: 1 })]
  instance.cancelAll()
  assert.deepEqual(
    jobs.map(({ result }) => result),
    ['canceled', 'canceled'],
  )
})

test('job ids grow with time and exceed 2^53 after a week', () => {
  const instance = instanceOf()
  const first = instance.submit()
  const second = instance.submit()
  instance.advance(7 * 24 * 3600 * 1000)
  const late = instance.submit()
  assert.ok(first.id < second.id)
  assert.ok(late.id > BigInt(Number.MAX_SAFE_INTEGER))
})

test('changes of nodes and of jobs are emitted', () => {
  const instance = instanceOf({ up: 1 })
  const emitted: unknown[] = []
  instance.on('nodes', ({ name, ranks }) => emitted.push([name, ranks]))
  instance.on('jobs', (transitions) => emitted.push(transitions.map(({ state }) => state)))
  instance.submit()
  instance.resize(3)
  instance.resize(1)
  assert.deepEqual(emitted, [
    ['DEPEND', 'PRIORITY', 'SCHED', 'RUN'],
    ['online', [1, 2]],
    ['offline', [1, 2]],
  ])
})
