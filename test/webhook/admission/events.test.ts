import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventRecorder, type EventText } from '../../../webhook/admission/events.ts'
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
  assert.deepEqual(rest, { level: 'warn', ...TEXT, msg: 'could not write an event' })
  assert.match(JSON.stringify(err), /answered 403: no/)
  assert.deepEqual(more, [])
})

test('record drops Events while too many are being written', () => {
  const { log, lines } = memoryLog('info')
  const recorder = new EventRecorder({ cluster: SILENT_CLUSTER, log })
  for (let n = 0; n < 64; n += 1) recorder.record(miniCluster(), TEXT)
  assert.deepEqual(lines, [])
  recorder.record(miniCluster(), TEXT)
  const msg = 'dropped an event: too many are being written'
  assert.deepEqual(lines, [{ level: 'warn', ...TEXT, msg }])
})

test('record writes Events again when the earlier ones are written', async () => {
  const cluster = new EventCluster()
  const { log, lines } = memoryLog('info')
  const recorder = new EventRecorder({ cluster, log })
  for (let n = 0; n < 64; n += 1) recorder.record(miniCluster(), TEXT)
  await settled()
  recorder.record(miniCluster(), TEXT)
  assert.deepEqual([cluster.events.length, lines], [65, []])
})
