import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { explain } from '#explaining/explanation.ts'
import { formatJobId } from '#flux/calls/job-id.ts'
import { ERRNO } from '#flux/errors.ts'
import { formatIdset } from '#flux/sets/idset.ts'
import { publishedSize } from '#scaling/sizes.ts'
import type { Reading } from '#scaling/snapshot.ts'
import { createTestCluster, reasonOf, runningOf, upOf } from '../support/cluster.ts'

/** Longer than any test: a change that is seen sooner was reported by a stream. */
const NEVER_MS = 3_600_000
const STREAMS_ONLY = { streamingIntervalMs: NEVER_MS, pollingIntervalMs: NEVER_MS }

test('Collector reads an instance', async (t) => {
  const { instance, collector, startBroker, until } = await createTestCluster(t, { up: 3 })
  await startBroker()
  instance.submit({ nodes: 2 })
  instance.submit({ nodes: 2 })
  collector.start()
  const reading = await until((now) => now.kind === 'fresh')
  assert.equal(reading.kind, 'fresh')
  const { nodes, cores, jobs } = reading.snapshot
  assert.deepEqual(nodes, { total: 4, up: 3, down: 1, allocated: 2, free: 1, idle: 1, drained: 0 })
  assert.deepEqual(cores, { total: 32, up: 24, allocated: 16, free: 8 })
  assert.equal(jobs.kind, 'known')
  assert.deepEqual([jobs.total.run, jobs.total.sched], [1, 1])
})

for (const version of ['0.51.0', '0.66.0', '0.88.0'] as const) {
  test(`Collector reads nodes and jobs after streams and events of ${version}`, async (t) => {
    const { instance, collector, startBroker, until } = await createTestCluster(t, {
      up: 2,
      pace: STREAMS_ONLY,
    })
    await startBroker({ version, role: 'guest' })
    collector.start()
    await until((reading) => upOf(reading) === 2)
    instance.up(2)
    await until((reading) => upOf(reading) === 3)
    instance.submit({ nodes: 1 })
    await until((reading) => runningOf(reading) === 1)
    instance.down(2)
    await until((reading) => upOf(reading) === 2)
  })
}

for (const scheduler of ['sched-simple', 'fluxion'] as const) {
  for (const role of ['guest', 'owner'] as const) {
    for (const version of ['0.51.0', '0.88.0'] as const) {
      test(`Collector reads ${version} with ${scheduler} as ${role}`, async (t) => {
        const { collector, instance, startBroker, until } = await createTestCluster(t, { up: 2 })
        await startBroker({ version, scheduler, role })
        instance.submit({ nodes: 1 })
        collector.start()
        const reading = await until(({ kind }) => kind === 'fresh')
        assert.equal(reading.kind, 'fresh')
        const { nodes } = reading.snapshot
        assert.deepEqual([nodes.total, nodes.up, nodes.allocated], [4, 2, 1])
      })
    }
  }
}

test('Collector as owner sees a drain at once, by the resource journal', async (t) => {
  const { instance, collector, startBroker, until } = await createTestCluster(t, {
    pace: STREAMS_ONLY,
  })
  await startBroker({ role: 'owner' })
  collector.start()
  await until((reading) => upOf(reading) === 4)
  instance.drain([3], 'maintenance')
  await until((reading) => upOf(reading) === 3)
})

for (const version of ['0.61.0', '0.88.0'] as const) {
  test(`Collector as owner of ${version} reads a new job after its commit, without job-stats`, async (t) => {
    const { instance, collector, notices, startBroker, until } = await createTestCluster(t, {
      pace: STREAMS_ONLY,
      maxAgeMs: NEVER_MS,
    })
    const broker = await startBroker({ version, role: 'owner' })
    collector.start()
    await until(() => notices.filter((notice) => notice === 'refreshed').length === 2)
    // Longer than the streams are late. From here on only events tell of changes.
    await setTimeout(500)
    broker.silenceStreams()
    instance.submit({ nodes: 1 })
    await until((reading) => runningOf(reading) === 1)
    assert.equal(broker.accepted, 1)
  })
}

test('Collector as owner reads once for a new job: job-stats only repeats it', async (t) => {
  const { instance, collector, notices, startBroker, until } = await createTestCluster(t, {
    pace: STREAMS_ONLY,
  })
  await startBroker({ role: 'owner' })
  collector.start()
  const refreshes = () => notices.filter((notice) => notice === 'refreshed').length
  await until(() => refreshes() === 2)
  // Longer than the streams are late.
  await setTimeout(500)
  const before = refreshes()
  for (const count of [1, 2, 3]) {
    instance.submit({ nodes: 1 })
    await until((reading) => runningOf(reading) === count)
    await setTimeout(500)
  }
  // On a busy machine the two come so far apart that a reading is between them. That is rare.
  const readings = refreshes() - before
  assert.ok(readings >= 3 && readings < 6, `${readings} readings for 3 jobs`)
  instance.cancel([...instance.jobs.keys()][0] ?? 0n)
  await until((reading) => runningOf(reading) === 2)
})

test('Collector polls if the broker does not stream', async (t) => {
  const { instance, collector, startBroker, until } = await createTestCluster(t, {
    pace: { pollingIntervalMs: 5, streamingIntervalMs: NEVER_MS },
  })
  const broker = await startBroker({ role: 'guest' })
  broker.faults.fail('groups.get', ERRNO.ENOSYS)
  collector.start()
  await until((reading) => upOf(reading) === 4)
  instance.down(3)
  await until((reading) => upOf(reading) === 3)
})

test('Collector may start before the socket exists', async (t) => {
  const { collector, startBroker, until, notices } = await createTestCluster(t)
  collector.start()
  await until((reading) => reasonOf(reading)?.includes('there is no socket yet') ?? false)
  await startBroker()
  await until((reading) => reading.kind === 'fresh')
  assert.ok(notices.includes('failed FLUX_CONNECT'))
})

test('Collector is stale from the moment the broker ends, and reads its replacement', async (t) => {
  const { instance, collector, startBroker, until, lines } = await createTestCluster(t)
  const broker = await startBroker()
  collector.start()
  await until((reading) => upOf(reading) === 4)
  await broker.kill()
  const gone = await until((reading) => reading.kind === 'stale')
  assert.ok(gone.kind === 'stale' && gone.since instanceof Date)
  await until((reading) => reasonOf(reading)?.includes('no broker listens') ?? false)
  instance.down(3)
  await startBroker()
  await until((reading) => upOf(reading) === 3)
  assert.ok(
    lines.includes(
      'fresh → stale: metrics are errors until Flux is read: Lost the connection to the broker: the broker closed it',
    ),
  )
  assert.equal(lines.filter((line) => line.startsWith('stale → fresh')).length, 2)
})

test('Collector counts every rank as released just now when it is connected again', async (t) => {
  const { collector, startBroker, until } = await createTestCluster(t, {
    pace: { streamingIntervalMs: 10 },
    patience: { idleGraceMs: 100 },
  })
  const recentIn = (reading: Reading) =>
    reading.kind === 'fresh' ? formatIdset(reading.snapshot.recent) : undefined
  const broker = await startBroker()
  collector.start()
  await until((reading) => recentIn(reading) === '')
  await broker.kill()
  await until(({ kind }) => kind === 'stale')
  await startBroker()
  assert.equal(recentIn(await until(({ kind }) => kind === 'fresh')), '0-3')
})

test('Collector waits until the broker has started', async (t) => {
  const { collector, startBroker, until } = await createTestCluster(t)
  const broker = await startBroker({ phase: 'quorum' })
  collector.start()
  await until((reading) => reasonOf(reading)?.includes('its state is "quorum"') ?? false)
  broker.setPhase('run')
  await until((reading) => upOf(reading) === 4)
  assert.equal(broker.accepted, 1, 'the connection is kept')
})

test('Collector names two cures for a guest that is refused', async (t) => {
  const { collector, startBroker, until } = await createTestCluster(t)
  await startBroker({ role: 'refused' })
  collector.start()
  const reading = await until((now) => reasonOf(now)?.includes('refuses UID') ?? false)
  assert.match(reasonOf(reading) ?? '', /allow-guest-user = true.*flux-metrics\/run-as-user/)
})

test('Collector distinguishes hidden job counts from counts of 0', async (t) => {
  const { collector, startBroker, until } = await createTestCluster(t)
  await startBroker({ role: 'guest', privateMode: true })
  collector.start()
  const reading = await until(({ kind }) => kind === 'fresh')
  assert.ok(reading.kind === 'fresh' && reading.snapshot.jobs.kind === 'unknown')
})

for (const topic of ['resource.sched-status', 'resource.status', 'job-list.job-stats']) {
  test(`Collector serves nothing while ${topic} fails, and recovers`, async (t) => {
    const { collector, startBroker, until } = await createTestCluster(t, {
      pace: { streamingIntervalMs: 5, pollingIntervalMs: 5 },
    })
    const broker = await startBroker()
    collector.start()
    await until(({ kind }) => kind === 'fresh')
    broker.faults.fail(topic, ERRNO.EINVAL, 'error preparing response')
    const reading = await until(({ kind }) => kind === 'stale')
    assert.match(reasonOf(reading) ?? '', /error preparing response/)
    broker.faults.heal()
    await until(({ kind }) => kind === 'fresh')
    assert.equal(broker.accepted, 1, 'the connection is kept after an error answer')
  })
}

test('Collector closes the connection to a broker that does not answer, and connects again', async (t) => {
  const { collector, startBroker, until, notices } = await createTestCluster(t, {
    pace: { callTimeoutMs: 20, streamingIntervalMs: 5 },
  })
  const broker = await startBroker()
  collector.start()
  await until(({ kind }) => kind === 'fresh')
  broker.faults.hang('resource.status')
  await until(({ kind }) => kind === 'stale')
  broker.faults.heal()
  await until(({ kind }) => kind === 'fresh')
  assert.ok(notices.includes('failed FLUX_TIMEOUT'))
  assert.ok(broker.accepted > 1)
})

test('Collector closes a connection that sends garbage, and connects again', async (t) => {
  const { collector, startBroker, until, notices } = await createTestCluster(t)
  const broker = await startBroker()
  collector.start()
  await until(({ kind }) => kind === 'fresh')
  broker.sendGarbage()
  await until(({ kind }) => kind === 'stale')
  await until(({ kind }) => kind === 'fresh')
  assert.ok(notices.includes('failed FLUX_PROTOCOL'))
})

test('Collector notices that a job-stats stream has ended silently', async (t) => {
  const { instance, collector, startBroker, until, notices } = await createTestCluster(t, {
    pace: { streamingIntervalMs: 300 },
  })
  const broker = await startBroker()
  collector.start()
  // The streams are opened between the first and the second reading.
  await until(() => notices.filter((notice) => notice === 'refreshed').length === 2)
  broker.silenceStreams()
  instance.submit({ nodes: 1 })
  await until((reading) => runningOf(reading) === 1)
  await until((reading) => reasonOf(reading)?.includes('job-stats did not report it') ?? false)
  await until((reading) => runningOf(reading) === 1)
  assert.equal(broker.accepted, 2)
})

test('Collector does not read more often than its cost allows', async (t) => {
  const { instance, collector, startBroker, until, notices } = await createTestCluster(t, {
    pace: { costFactor: 1_000_000 },
  })
  const broker = await startBroker()
  collector.start()
  await until(({ kind }) => kind === 'fresh')
  instance.down(3)
  instance.submit({ nodes: 1 })
  assert.equal(broker.calls.get('resource.sched-status'), 1)
  assert.equal(notices.filter((notice) => notice === 'refreshed').length, 1)
})

test('Collector reads again when its drains want to be looked at, though nothing changes', async (t) => {
  const { instance, collector, notices, startBroker, until } = await createTestCluster(t, {
    pace: STREAMS_ONLY,
    up: 2,
    drains: { instance: 'flux-sample' },
    patience: { idleGraceMs: 0 },
  })
  await startBroker({ role: 'owner' })
  collector.start()
  await until((reading) => reading.kind === 'fresh' && reading.snapshot.sizes.drained === 1)
  instance.submit({ nodes: 4 })
  await until((reading) => reading.kind === 'fresh' && reading.snapshot.sizes.drained === 4)
  const before = notices.length
  // Ranks 2 and 3 are awaited: each second it is seen whether they can be given back.
  await until(() => notices.slice(before).filter((notice) => notice === 'refreshed').length >= 2)
})

test('Collector keeps all that is there for the grace after readings that failed for long, also without a new connection', async (t) => {
  const { collector, notices, startBroker, until } = await createTestCluster(t, {
    pace: { pollingIntervalMs: 5, streamingIntervalMs: 5 },
    maxAgeMs: 500,
    patience: { idleGraceMs: 1_000 },
  })
  const floorOf = (reading: Reading) =>
    reading.kind === 'fresh' && reading.snapshot.demand.kind === 'known'
      ? reading.snapshot.demand.floor
      : undefined
  const broker = await startBroker({ role: 'guest' })
  collector.start()
  await until((reading) => floorOf(reading) === 1)
  broker.faults.fail('resource.status', ERRNO.EAGAIN)
  await until((reading) => reading.kind === 'stale')
  await setTimeout(800)
  broker.faults.heal()
  assert.equal(floorOf(await until((reading) => reading.kind === 'fresh')), 4)
  assert.equal(notices.filter((notice) => notice === 'connected').length, 1)
})

test('Collector keeps the size that it cannot drain for, and its snapshots say why', async (t) => {
  const { instance, collector, startBroker, until } = await createTestCluster(t, {
    pace: { streamingIntervalMs: 100, pollingIntervalMs: 100 },
    drains: { instance: 'flux-sample' },
    patience: { idleGraceMs: 0 },
  })
  await startBroker({ role: 'guest' })
  collector.start()
  await until((reading) => reading.kind === 'fresh' && reading.snapshot.drainRefusal !== undefined)
  const reading = collector.reading()
  assert.ok(reading.kind === 'fresh')
  assert.match(reading.snapshot.drainRefusal ?? '', /^Flux allows only its owner to drain ranks/)
  const { warnings } = explain(reading.snapshot, reading.snapshot.takenAt)
  assert.ok(
    warnings.some((text) =>
      text.startsWith('ranks cannot be drained, so the size does not fall: Flux'),
    ),
    warnings.join(),
  )
  assert.deepEqual(
    instance.nodes.map(({ drain }) => drain),
    [undefined, undefined, undefined, undefined],
  )
})

test('Collector without drains lifts what is left of them, as owner, and asks once who it is', async (t) => {
  for (const role of ['owner', 'guest'] as const) {
    const { instance, collector, startBroker, until } = await createTestCluster(t, {
      formerDrains: { instance: 'flux-sample' },
      patience: { idleGraceMs: 0 },
    })
    instance.drain([2, 3], 'flux-metrics/flux-sample: scale-down to 2')
    const broker = await startBroker({ role })
    collector.start()
    const sizeOf = (reading: Reading) =>
      reading.kind === 'fresh' ? publishedSize(reading.snapshot.sizes) : undefined
    await until((reading) => sizeOf(reading) === (role === 'owner' ? 4 : 1))
    instance.submit({ nodes: 1 })
    await until((reading) => runningOf(reading) === 1)
    assert.equal(broker.calls.get('broker.ping'), 1, role)
  }
})

test('Collector logs once which job fits, is not started, and was not helped by more nodes', async (t) => {
  const { instance, collector, lines, notices, startBroker, until } = await createTestCluster(t, {
    pace: { pollingIntervalMs: 5, streamingIntervalMs: 5 },
    patience: { startTimeoutMs: 20 },
  })
  await startBroker({ role: 'owner' })
  const { id } = instance.submit({ nodes: 1, hiddenRanks: [] })
  collector.start()
  const setAside = () => lines.filter((line) => line.startsWith('job set aside: '))
  await until(() => setAside().length > 0)
  const before = notices.length
  await until(() => notices.length > before + 20)
  const [line = '', ...more] = setAside()
  assert.deepEqual(more, [])
  assert.match(
    line,
    / although 4 nodes are free; there are no more nodes for it: see flux job eventlog /,
  )
  assert.ok(line.endsWith(formatJobId(id)))
})

test('Collector serves no snapshot that is too old, even if nothing else is wrong', async (t) => {
  const { collector, startBroker, until } = await createTestCluster(t, {
    maxAgeMs: 20,
    pace: STREAMS_ONLY,
  })
  await startBroker()
  collector.start()
  await until(({ kind }) => kind === 'fresh')
  await until((reading) => reasonOf(reading)?.includes('is older than') ?? false)
})

test('Collector disconnects when it is stopped, also while it waits', async (t) => {
  const { collector, startBroker, until, notices } = await createTestCluster(t, {
    pace: STREAMS_ONLY,
  })
  await startBroker()
  collector.start()
  await until(({ kind }) => kind === 'fresh')
  await collector.stop()
  assert.equal(notices.at(-1), 'disconnected')
})
