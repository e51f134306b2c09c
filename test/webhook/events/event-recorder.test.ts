import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventText } from '../../../webhook/events/event.ts'
import { EventRecorder } from '../../../webhook/events/event-recorder.ts'
import { ClusterError } from '../../../webhook/kubernetes/cluster.ts'
import { memoryLog } from '../../support/memory-log.ts'
import { EventCluster, SILENT_CLUSTER } from '../support-admission.ts'
import { MINICLUSTER_OWNER, miniCluster } from '../support-objects.ts'

const TEXT: EventText = { type: 'Normal', reason: 'MetricsInjected', message: 'Added a container' }

test('record writes an Event about the MiniCluster', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-24T01:02:03.456Z') })
  const cluster = new EventCluster()
  const { log, lines } = memoryLog('debug')
  new EventRecorder({ cluster, log }).record(miniCluster(), TEXT)
  const { controller: _controller, ...owner } = MINICLUSTER_OWNER
  assert.deepEqual(cluster.events, [
    {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { generateName: 'flux-sample.', namespace: 'default' },
      involvedObject: { ...owner, namespace: 'default' },
      type: 'Normal',
      reason: 'MetricsInjected',
      message: 'Added a container',
      source: { component: 'flux-metrics-webhook' },
      reportingComponent: 'flux-metrics-webhook',
      reportingInstance: 'flux-metrics-webhook',
      firstTimestamp: '2026-11-24T01:02:03Z',
      lastTimestamp: '2026-11-24T01:02:03Z',
      count: 1,
    },
  ])
  assert.deepEqual(lines, [])
})

test('record cuts a message to the limit of the API server', () => {
  const cluster = new EventCluster()
  const { log } = memoryLog('silent')
  const text = { ...TEXT, message: 'm'.repeat(1025) }
  new EventRecorder({ cluster, log }).record(miniCluster(), text)
  assert.equal(cluster.events[0]?.message, 'm'.repeat(1024))
})

test('record escapes what nobody sees', () => {
  const cluster = new EventCluster()
  const { log } = memoryLog('silent')
  new EventRecorder({ cluster, log }).record(miniCluster(), { ...TEXT, message: 'a\u202eb' })
  assert.equal(cluster.events[0]?.message, 'a\\u{202e}b')
})

/** Resolves when the API server in memory has finished its calls. */
function settled(): Promise<void> {
  return new Promise(setImmediate)
}

test('record logs a failure and does not throw it', async () => {
  const cluster = new EventCluster()
  cluster.failWith(new ClusterError(403, 'The API server answered 403: no'))
  const { log, lines } = memoryLog('warn')
  new EventRecorder({ cluster, log }).record(miniCluster(), TEXT)
  await settled()
  const [{ err, ...rest } = {}, ...more] = lines
  const { reason, message } = TEXT
  assert.deepEqual(rest, { level: 'warn', reason, message, msg: 'could not write an event' })
  assert.match(JSON.stringify(err), /answered 403: no/)
  assert.deepEqual(more, [])
})

/** MiniClusters of different UIDs. */
function miniClusters(count: number) {
  return Array.from({ length: count }, (_, index) => {
    const { metadata, ...rest } = miniCluster()
    return { ...rest, metadata: { ...metadata, uid: `uid-${index}` } }
  })
}

test('record drops Events while too many are being written', () => {
  const { log, lines } = memoryLog('info')
  const recorder = new EventRecorder({ cluster: SILENT_CLUSTER, log })
  for (const one of miniClusters(64)) recorder.record(one, TEXT)
  assert.deepEqual(lines, [])
  recorder.record(miniCluster(), TEXT)
  const msg = 'dropped an event: too many are being written'
  const { uid } = MINICLUSTER_OWNER
  assert.deepEqual(lines, [{ level: 'warn', uid, reason: TEXT.reason, msg }])
})

test('record writes Events again when the earlier ones are written', async () => {
  const cluster = new EventCluster()
  const { log, lines } = memoryLog('info')
  const recorder = new EventRecorder({ cluster, log })
  for (const one of miniClusters(64)) recorder.record(one, TEXT)
  await settled()
  recorder.record(miniCluster(), TEXT)
  assert.deepEqual([cluster.events.length, lines], [65, []])
})

/** The counts of the Events in an API server, in the order of their creation. */
async function countsIn(cluster: EventCluster) {
  await settled()
  return cluster.calls
    .filter(({ verb }) => verb === 'create')
    .map((_, index) => {
      const name = `flux-sample.${index + 1}`
      return cluster.peek({ apiVersion: 'v1', kind: 'Event', name, namespace: 'default' })
    })
    .map((event) => [event?.count, event?.firstTimestamp, event?.lastTimestamp])
}

test('record counts a repeated Event up, and writes another text as another Event', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-24T01:00:00Z') })
  const cluster = new EventCluster()
  const recorder = new EventRecorder({ cluster, log: memoryLog('silent').log })
  recorder.record(miniCluster(), TEXT)
  // Before the first one is written.
  recorder.record(miniCluster(), TEXT)
  await settled()
  t.mock.timers.setTime(Date.parse('2026-11-24T01:05:00Z'))
  recorder.record(miniCluster(), TEXT)
  await settled()
  const [first, last] = ['2026-11-24T01:00:00Z', '2026-11-24T01:05:00Z']
  assert.deepEqual(await countsIn(cluster), [[3, first, last]])
  recorder.record(miniCluster(), { ...TEXT, message: 'other' })
  await settled()
  assert.equal(cluster.events.length, 2)
})

test('record writes a new Event 10 minutes after the last one, and for one that is gone', async (t) => {
  const cluster = new EventCluster()
  const recorder = new EventRecorder({ cluster, log: memoryLog('silent').log })
  recorder.record(miniCluster(), TEXT)
  await settled()
  const now = performance.now()
  t.mock.method(performance, 'now', () => now + 600_001)
  recorder.record(miniCluster(), TEXT)
  await settled()
  assert.equal(cluster.events.length, 2)
  const [, , name] = cluster.calls.map((call) => call.name)
  assert.equal(name, undefined)
  cluster.remove({ apiVersion: 'v1', kind: 'Event', name: 'flux-sample.2', namespace: 'default' })
  recorder.record(miniCluster(), TEXT)
  await settled()
  assert.equal(cluster.events.length, 3)
})

test('record writes 25 Events about one object at once, then one in 5 minutes', async (t) => {
  const cluster = new EventCluster()
  const recorder = new EventRecorder({ cluster, log: memoryLog('silent').log })
  const flood = async () => {
    for (let n = 0; n < 40; n += 1) {
      recorder.record(miniCluster(), { ...TEXT, message: `${performance.now()} ${n}` })
      await settled()
    }
  }
  await flood()
  assert.equal(cluster.events.length, 25)
  const now = performance.now()
  t.mock.method(performance, 'now', () => now + 300_000)
  await flood()
  assert.equal(cluster.events.length, 26)
})

test('record writes 500 Events in all at once, then 10 in a second', async (t) => {
  const start = Math.ceil(performance.now())
  t.mock.method(performance, 'now', () => start)
  const cluster = new EventCluster()
  const recorder = new EventRecorder({ cluster, log: memoryLog('silent').log })
  const flood = async () => {
    for (const one of miniClusters(600)) {
      recorder.record(one, { ...TEXT, message: `${performance.now()}` })
      await settled()
    }
  }
  await flood()
  assert.equal(cluster.events.length, 500)
  t.mock.method(performance, 'now', () => start + 1_000)
  await flood()
  assert.equal(cluster.events.length, 510)
})
