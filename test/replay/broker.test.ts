// Compares the simulated broker with recordings of real brokers: it receives the bytes of the recorded client, on an instance
// like the recorded one. Its answers must be the recorded ones, except for ids and times.
//
// Not replayed, because it is not simulated: sockets of ranks other than 0 (rank1-*), clients with several user ids
// (auth-root-*), fragmented instances (big-*, in other tests), discovery of resources (dyn-*), unusual host names
// (hosts-odd-*), housekeeping, events and jobspecs of jobs (job-info.*, job-manager.getattr, the journal), kvs, modules and
// their statistics, complete shutdowns, and answers with more than a metrics client requests (attr.list has 60 attributes,
// job-list all attributes of a history of jobs).
//
// The simulated broker differs on purpose for a frame length that kills a real broker (garbage-zero-length,
// garbage-length-ffffffff) or that our decoder refuses (garbage-length-1gib, garbage-length-4gib-16). It also answers a
// client that half-closes at once (halfclose), where a real broker is too slow.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Instance } from '#simulation/instance.ts'
import { type BrokerOptions, type FluxVersion, startBroker } from '../support/broker.ts'
import { loadRecording, normalise, recordedAnswers, replay } from '../support/conversation.ts'
import { createSocketPath } from '../support/socket-path.ts'
import {
  busyNodes,
  CONFIGURATION,
  drainedNodes,
  drainThem,
  fluxionDrained,
  fluxionLost,
  fluxionNodes,
  fourNodes,
  later,
  loadedMiniCluster,
  miniCluster,
  oneNode,
  sixNodeJob,
} from './clusters.ts'

interface Case {
  readonly instance: () => Instance
  readonly broker?: Partial<BrokerOptions>
  /** Changes of the instance, by the number of messages that the broker has sent before. */
  readonly after?: Readonly<Record<number, (instance: Instance) => void>>
  /** Replacements in the recorded answers, if the recorded machine had other names. */
  readonly renamed?: Readonly<Record<string, string>>
}

const VM = { vm: 'flux-sample-0' } as const

/** Recordings of any instance with four nodes, from the oldest and from the newest release. */
const PROTOCOL = [
  'bytewise-write',
  'dup-matchtag',
  'error-ehostunreach',
  'error-enosys',
  'error-enosys-method',
  'error-eproto-missing-key',
  'error-eproto-nonul',
  'error-eproto-nopayload',
  'error-eproto-notjson',
  'getattr-minimal-noroutes',
  'getattr-minimal-routes',
  'getattr-missing',
  'getattr-size-cli',
  'getattr-size-rpc',
  'groups-get-nostream',
  'groups-get-online',
  'handshake-only',
  'job-list-bad-attr',
  'job-list-bad-constraint',
  'job-list-id-missing',
  'matchtag-zero',
  'noresponse-flag',
  'owner-impersonate',
  'payload-array',
  'ping-broker-any',
  'ping-broker-rank2',
  'pipelined-3',
  'queue-list',
  'queue-status-batch',
  'queue-status-nosuch',
  'resource-status',
  'resource-status-rank1',
  'state-machine-get',
  'stream-groups-cancel',
]

/** Recordings of an instance with jobs, from the same releases. */
const JOBS = [
  'alloc-query',
  'job-list-max2',
  'job-list-pending-constraint',
  'job-list-pending-legacy',
  'job-list-pending-queue',
  'job-list-pending-streaming',
  'job-list-pending-union',
  'job-stats',
  'queue-status-cli',
  'resource-sched-status',
  'sched-resource-status',
]

/** Recordings of six nodes that are up, lost, drained and excluded. */
const DRAINED = [
  'drain-groups-online',
  'drain-overlay-health',
  'drain-ping-offline-rank',
  'drain-resource-status',
  'drain-sched-status',
]

/** Recordings of malformed clients: the broker ends their connection or ignores them. */
const GARBAGE = [
  'garbage-be-magic',
  'garbage-control',
  'garbage-http',
  'garbage-no-topic',
  'garbage-proto-magic',
  'garbage-proto-version',
  'garbage-type',
]

const GUESTS = ['auth-guest-allowed', 'auth-guest-eperm', 'auth-guest-forge', 'auth-guest-ping']

for (const version of ['0.51.0', '0.88.0'] as const) {
  const gpuJobs = version !== '0.51.0'
  const replayAll = (names: readonly string[], one: Case) => {
    for (const name of names) replays(version, name, one)
  }
  replayAll(PROTOCOL, { instance: fourNodes })
  replayAll(JOBS, { instance: () => busyNodes({ gpuJobs }) })
  replayAll(DRAINED, { instance: () => drainThem(drainedNodes()), broker: { fanout: 32 } })
  replayAll(GARBAGE, { instance: oneNode })
  replayAll(GUESTS, { instance: oneNode, broker: { role: 'guest' } })
  replays(version, 'auth-guest-denied', { instance: oneNode, broker: { role: 'refused' } })
  replays(version, 'auth-guest-sched-status', {
    instance: oneNode,
    broker: { role: 'guest' },
    renamed: VM,
  })
  replays(version, 'config-get', { instance: fourNodes, broker: { config: CONFIGURATION } })
  replays(version, 'drain-stream-groups-offline', {
    instance: drainedNodes,
    after: { 1: (instance) => instance.down(3) },
  })
  replays(version, 'event-heartbeat', { instance: fourNodes, broker: { heartbeatMs: 20 } })
  replays(version, 'overlay-health', { instance: fourNodes })
  replays(version, 'stream-resource-journal', {
    instance: () => {
      const instance = fourNodes({ up: 0 })
      instance.up(0)
      instance.up(1, 2, 3)
      return instance
    },
  })
}

replays('0.51.0', 'stream-job-stats', {
  instance: () => later(busyNodes({ gpuJobs: false }), { successful: 2, canceled: 4 }),
})
replays('0.51.0', 'event-job-state', {
  instance: busyNodes,
  after: { 1: (instance) => instance.submit({ queue: 'batch' }) },
})

replays('0.88.0', 'auth-guest-joblist', {
  instance: () => {
    const instance = new Instance({ maxSize: 1, coresPerNode: 2 })
    instance.submit({ cores: 1 })
    return instance
  },
  broker: { role: 'guest' },
  renamed: VM,
})
replays('0.88.0', 'stream-job-stats', {
  instance: () => later(busyNodes(), { successful: 2, canceled: 3 }),
  after: { 1: (instance) => later(instance, { successful: 1, canceled: 0 }) },
})
replays('0.88.0', 'drain-grouped-resource-status', {
  instance: () => {
    const instance = fourNodes()
    instance.drain([1, 2], 'rack power work')
    return instance
  },
})
replays('0.88.0', 'drain-resource-journal', {
  instance: () => drainThem(drainedNodes()),
  after: { 4: (instance) => instance.undrain([5]) },
})
replays('0.88.0', 'queue-status-stopped-disabled', {
  instance: () => {
    const instance = fourNodes()
    const queue = instance.queue('debug')
    assert.ok(queue !== undefined)
    instance.setStarted(queue, false, 'cooling outage')
    instance.setEnabled(queue, false, 'maintenance window')
    return instance
  },
})
for (const name of ['longform-short-part', 'matchtag-max', 'route-preset', 'topic-nul']) {
  replays('0.88.0', name, { instance: fourNodes })
}
for (const name of ['noqueue-job-stats', 'noqueue-queue-list', 'noqueue-queue-status']) {
  replays('0.88.0', name, {
    instance: () => {
      const instance = new Instance({ maxSize: 6000 })
      for (let job = 0; job < 6000; job += 1) instance.submit({ nodes: 1 })
      return instance
    },
  })
}

const FLUXION: readonly (readonly [prefix: string, instance: () => Instance])[] = [
  ['idle', fourNodes],
  ['loaded', fluxionNodes],
  ['drain-busy', () => fluxionDrained({ idle: false })],
  ['drain-idle', () => fluxionDrained({ idle: true })],
  ['lost', fluxionLost],
  ['mc-4of10-idle', () => miniCluster(4)],
  ['mc-4of10-loaded', loadedMiniCluster],
  ['mc-6of10-all6', () => sixNodeJob({ stopped: false })],
  ['mc-sigterm5', () => sixNodeJob({ stopped: true })],
]
for (const [prefix, instance] of FLUXION) {
  for (const topic of ['resource-sched-status', 'sched-resource-status', 'resource-status']) {
    replaysFluxion(`${prefix}-${topic}`, { instance })
  }
}
for (const name of ['job-stats', 'pending', 'refused', 'running']) {
  replaysFluxion(`mc-4of10-${name}`, { instance: loadedMiniCluster })
}
replaysFluxion('mc-4of10-groups-online', { instance: () => miniCluster(4) })
replaysFluxion('mc-4of10-overlay-health', { instance: () => miniCluster(4) })
for (const name of ['guest-resource-sched-status', 'guest-sched-resource-status']) {
  replaysFluxion(name, { instance: () => miniCluster(3), broker: { role: 'guest' } })
}
replaysFluxion('nosched-sched-resource-status', {
  instance: () => miniCluster(6),
  broker: { scheduler: 'none' },
})

function replaysFluxion(name: string, one: Case): void {
  const broker = { scheduler: 'fluxion', ...one.broker } as const
  replays('0.88.0', name, { ...one, broker }, '0.88.0-fluxion')
}

function replays(version: FluxVersion, name: string, one: Case, folder: string = version): void {
  test(`a broker ${folder} answers ${name} as recorded`, async (t) => {
    const recording = loadRecording(`${folder}/${name}`)
    const instance = one.instance()
    const path = await createSocketPath(t)
    const broker = await startBroker({ path, instance, version, ...one.broker })
    t.after(() => broker.close())
    const onMessage = (count: number) => one.after?.[count]?.(instance)
    const output = await replay(recording, { path, onMessage })
    const expected = rename(recordedAnswers(recording), one.renamed ?? {})
    assert.deepEqual(normalise(output), normalise(expected))
  })
}

function rename(value: unknown, names: Readonly<Record<string, string>>): unknown {
  return JSON.parse(JSON.stringify(value), (_, part: unknown) =>
    typeof part === 'string' ? (names[part] ?? part) : part,
  )
}
