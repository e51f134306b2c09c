// Typed calls about resources, with recorded answers and with malformed answers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEAD_RANK } from '#flux/calls/broker-calls.ts'
import {
  drain,
  getResourceStatus,
  getSchedStatus,
  SCHED_STATUS_TOPICS,
  undrain,
  watchOnline,
  watchResources,
} from '#flux/calls/resource-calls.ts'
import { ERRNO } from '#flux/errors.ts'
import { formatIdset, type Idset, parseIdset } from '#flux/sets/idset.ts'
import { countCores, countGpus, ranksOf } from '#flux/sets/resource-set.ts'
import type { Client } from '#flux/wire/client.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import { connectToCannedBroker } from '../../support/canned-broker.ts'
import { recordedAnswer } from '../../support/recordings.ts'
import { connectToScript } from '../../support/scripted-broker.ts'

const LIMITS = { timeoutMs: 10_000 }
const [CORE, SCHEDULER] = SCHED_STATUS_TOPICS

function textsOf(sets: ReadonlyMap<string, Idset>): Record<string, string> {
  return Object.fromEntries([...sets].map(([name, ranks]) => [name, formatIdset(ranks)]))
}

test('getSchedStatus reads all, allocated and down resources, and properties', async (t) => {
  const { client, requests } = await connectToCannedBroker(t, {
    [CORE]: recordedAnswer('0.88.0', 'resource-sched-status', CORE),
  })
  const { all, allocated, down, properties } = await getSchedStatus(client, CORE, LIMITS)
  assert.deepEqual(requests, [{ topic: CORE, nodeid: LEAD_RANK, args: {} }])
  assert.deepEqual([formatIdset(ranksOf(all)), countCores(all), countGpus(all)], ['0-3', 32, 8])
  assert.deepEqual([countCores(allocated), countGpus(allocated)], [20, 2])
  assert.equal(formatIdset(ranksOf(down)), '')
  assert.deepEqual(textsOf(properties), { batch: '0-2', debug: '3' })
})

test('getSchedStatus reads the null of Fluxion as an empty set, and missing properties as none', async (t) => {
  const { client } = await connectToCannedBroker(t, {
    [SCHEDULER]: recordedAnswer('0.88.0-fluxion', 'idle-sched-resource-status', SCHEDULER),
    [CORE]: recordedAnswer('0.88.0-fluxion', 'mc-4of10-idle-resource-sched-status', CORE),
  })
  const idle = await getSchedStatus(client, SCHEDULER, LIMITS)
  assert.equal(formatIdset(ranksOf(idle.all)), '0-3')
  assert.deepEqual([countCores(idle.allocated), countCores(idle.down)], [0, 0])
  const growing = await getSchedStatus(client, CORE, LIMITS)
  assert.equal(formatIdset(ranksOf(growing.down)), '4-9')
  assert.deepEqual(textsOf(growing.properties), {})
})

test('getSchedStatus fails with ENOSYS if the broker does not have the topic', async (t) => {
  const { client } = await connectToCannedBroker(t, {})
  await assert.rejects(getSchedStatus(client, CORE, LIMITS), {
    code: 'FLUX_REMOTE',
    errnum: ERRNO.ENOSYS,
    topic: CORE,
  })
})

const R = { version: 1, execution: { R_lite: [{ rank: '0', children: { core: '0-3' } }] } }

/** Malformed statuses, and the error after the topic. */
const BROKEN_SCHED_STATUS: readonly (readonly [answer: JsonObject, message: string])[] = [
  [{ all: R, allocated: null }, ': expected a resource set or null at "down", got undefined'],
  [{ allocated: R, down: R }, ': expected a resource set or null at "all", got undefined'],
  [{ all: null, allocated: R, down: R }, ': expected a resource set at "all", got null'],
  [
    { all: { version: 1, execution: { R_lite: [] } }, allocated: null, down: null },
    ': expected a resource set with ranks at "all", got {"version":1,"execution":{"R_lite":[]}}',
  ],
  [
    { all: { ...R, version: 2 }, allocated: R, down: R },
    ' at "all": Cannot read R at version: expected 1, got 2',
  ],
  [
    { all: R, allocated: [], down: R },
    ' at "allocated": Cannot read R: expected an object or null, got an array',
  ],
  [
    { all: { ...R, execution: { ...R.execution, properties: ['batch'] } }, allocated: R, down: R },
    ': expected an object at "properties", got ["batch"]',
  ],
  [
    {
      all: { ...R, execution: { ...R.execution, properties: { batch: 3 } } },
      allocated: R,
      down: R,
    },
    ': expected a string at "batch", got 3',
  ],
  [
    {
      all: { ...R, execution: { ...R.execution, properties: { batch: '1-' } } },
      allocated: R,
      down: R,
    },
    ' at "batch": Cannot parse idset "1-": expected a digit at position 2',
  ],
]

for (const [answer, message] of BROKEN_SCHED_STATUS) {
  test(`getSchedStatus refuses an answer${message}`, async (t) => {
    const { client } = await connectToCannedBroker(t, { [CORE]: answer })
    await assert.rejects(getSchedStatus(client, CORE, LIMITS), {
      code: 'FLUX_PROTOCOL',
      topic: CORE,
      message: `Cannot read the answer to "${CORE}"${message}`,
    })
  })
}

/** Ranks by condition, as texts. */
async function statusOf(client: Client): Promise<unknown> {
  const { offline, torpid, drains } = await getResourceStatus(client, LIMITS)
  return {
    offline: formatIdset(offline),
    torpid: formatIdset(torpid),
    drains: drains.map(({ ranks, reason }) => [formatIdset(ranks), reason]),
  }
}

test('getResourceStatus reads the offline ranks, and each drain with its reason', async (t) => {
  const { client, requests } = await connectToCannedBroker(t, {
    'resource.status': recordedAnswer('0.88.0', 'drain-resource-status', 'resource.status'),
  })
  assert.deepEqual(await statusOf(client), {
    offline: '3',
    torpid: '',
    drains: [
      ['2', 'disk is failing'],
      ['5', 'maintenance'],
    ],
  })
  assert.deepEqual(requests, [{ topic: 'resource.status', nodeid: LEAD_RANK, args: {} }])
})

test('getResourceStatus reads ranks that were drained together', async (t) => {
  const { client } = await connectToCannedBroker(t, {
    'resource.status': recordedAnswer('0.88.0', 'drain-grouped-resource-status', 'resource.status'),
  })
  const drains = [['1-2', 'rack power work']]
  assert.deepEqual(await statusOf(client), { offline: '', torpid: '', drains })
})

test('getResourceStatus reads torpid ranks, no torpid ranks of old brokers, and drains without a reason', async (t) => {
  const old = recordedAnswer('0.51.0', 'drain-resource-status', 'resource.status')
  assert.equal(old.torpid, undefined)
  const { client } = await connectToCannedBroker(t, {
    'resource.status': [
      {
        drain: { '1': { timestamp: 1 }, '2': { reason: '' }, '7': null },
        offline: '',
        torpid: '4',
      },
      old,
    ],
  })
  assert.deepEqual(await statusOf(client), {
    offline: '',
    torpid: '4',
    drains: [
      ['1', ''],
      ['2', ''],
      ['7', ''],
    ],
  })
  assert.equal((await getResourceStatus(client, LIMITS)).torpid.ranges.length, 0)
})

const STATUS = { drain: {}, offline: '', torpid: '' }

const BROKEN_STATUS: readonly (readonly [answer: JsonObject, message: string])[] = [
  [{ ...STATUS, drain: undefined }, ': expected an object at "drain", got undefined'],
  [{ ...STATUS, drain: [] }, ': expected an object at "drain", got []'],
  [
    { ...STATUS, drain: { '3-2': {} } },
    ' at "drain": Cannot parse idset "3-2": expected an id of at least 4 at position 2',
  ],
  [{ ...STATUS, offline: undefined }, ': expected a string at "offline", got undefined'],
  [
    { ...STATUS, offline: '1,' },
    ' at "offline": Cannot parse idset "1,": expected a digit at position 2',
  ],
  [{ ...STATUS, torpid: null }, ': expected a string at "torpid", got null'],
  [
    { ...STATUS, torpid: 'x' },
    ' at "torpid": Cannot parse idset "x": expected a digit at position 0',
  ],
]

for (const [answer, message] of BROKEN_STATUS) {
  test(`getResourceStatus refuses an answer${message}`, async (t) => {
    const { client } = await connectToCannedBroker(t, { 'resource.status': answer })
    await assert.rejects(getResourceStatus(client, LIMITS), {
      code: 'FLUX_PROTOCOL',
      topic: 'resource.status',
      message: `Cannot read the answer to "resource.status"${message}`,
    })
  })
}

test('drain sends no mode: a mode would replace the reason of an administrator', async (t) => {
  const { client, requests } = await connectToCannedBroker(t, { 'resource.drain': {} })
  await drain(client, { ranks: parseIdset('2-3,5'), reason: 'why' }, LIMITS)
  assert.deepEqual(requests, [
    { topic: 'resource.drain', nodeid: LEAD_RANK, args: { targets: '2-3,5', reason: 'why' } },
  ])
})

test('undrain sends only the ranks', async (t) => {
  const { client, requests } = await connectToCannedBroker(t, { 'resource.undrain': {} })
  await undrain(client, parseIdset('2-3,5'), LIMITS)
  assert.deepEqual(requests, [
    { topic: 'resource.undrain', nodeid: LEAD_RANK, args: { targets: '2-3,5' } },
  ])
})

for (const errnum of [ERRNO.EPERM, ERRNO.EEXIST] as const) {
  test(`drain and undrain fail with the broker's own error ${errnum}`, async (t) => {
    const { client } = await connectToCannedBroker(t, {
      'resource.drain': errnum,
      'resource.undrain': errnum,
    })
    const ranks = parseIdset('1')
    const expected = { code: 'FLUX_REMOTE', errnum }
    await assert.rejects(drain(client, { ranks, reason: '' }, LIMITS), expected)
    await assert.rejects(undrain(client, ranks, LIMITS), expected)
  })
}

test('watchOnline yields the ranks now and after each change', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect('groups.get')
    assert.equal(request.nodeid, LEAD_RANK)
    peer.stream(request, { members: '0-3' }, { members: '' }, { members: '0-2,4' })
    peer.endStream(request)
  })
  const seen = await Array.fromAsync(watchOnline(client, LIMITS), formatIdset)
  assert.deepEqual(seen, ['0-3', '', '0-2,4'])
})

test('watchOnline fails on members that are not an idset', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.stream(await peer.expect('groups.get'), { members: '0-3' }, { members: '3-0' })
  })
  const online = watchOnline(client, LIMITS)
  assert.equal((await online.next()).done, false)
  await assert.rejects(online.next(), {
    code: 'FLUX_PROTOCOL',
    message:
      'Cannot read the answer to "groups.get" at "members": Cannot parse idset "3-0": expected an id of at least 4 at position 2',
  })
})

test('watchResources yields for each answer, whatever its content', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect('resource.journal')
    peer.stream(request, { events: [] }, {}, { events: 'nonsense' })
    peer.endStream(request)
  })
  assert.equal((await Array.fromAsync(watchResources(client, LIMITS))).length, 3)
})

test('watchResources yields the past at once, and of each answer the drains', async (t) => {
  const context = { idset: '3', nodelist: 'flux-sample-3', reason: 'broken fan', overwrite: 0 }
  const drain = { timestamp: 1, name: 'drain', context }
  const undrain = { timestamp: 2, name: 'undrain', context: { idset: '2', overwrite: 0 } }
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect('resource.journal')
    const restart = { timestamp: 0, name: 'restart', context: { ranks: '0-3' } }
    const odd = [7, { name: 'drain' }, { name: 'drain', context: { idset: '3-0' } }]
    const later = { ...drain, context: { idset: '1', overwrite: 1 } }
    peer.stream(request, { events: [restart, drain] }, { events: [undrain] }, { events: [] })
    peer.stream(request, { events: [later, ...odd] })
    peer.endStream(request)
  })
  const seen = await Array.fromAsync(watchResources(client, LIMITS), ({ events, isPast }) => [
    isPast,
    ...events.map(({ ranks, ...event }) => ({ ...event, ranks: formatIdset(ranks) })),
  ])
  assert.deepEqual(seen, [
    [
      true,
      { kind: 'drain', ranks: '3', reason: 'broken fan', overwrites: false },
      { kind: 'undrain', ranks: '2', reason: '', overwrites: false },
    ],
    [
      false,
      { kind: 'drain', ranks: '1', reason: '', overwrites: true },
      { kind: 'drain', ranks: '', reason: '', overwrites: false },
    ],
  ])
})

test('watchResources yields of a long past the latest drain or undrain of each rank', async (t) => {
  const YEARS = 500
  const event = (name: string, idset: string, reason: string) => {
    return { name, context: { idset, reason, overwrite: 0 } }
  }
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect('resource.journal')
    for (let year = 0; year < YEARS; year += 1) {
      const drains = [event('drain', '1-3', `year ${year}`), event('drain', '7', 'broken fan')]
      peer.stream(request, { events: [...drains, event('undrain', '2', '')] })
    }
    peer.stream(request, { events: [] })
    peer.endStream(request)
  })
  const seen = await Array.fromAsync(watchResources(client, LIMITS), ({ events }) =>
    events.map(({ kind, ranks, reason }) => [kind, formatIdset(ranks), reason]),
  )
  const last = ['drain', '1,3', `year ${YEARS - 1}`]
  assert.deepEqual(seen, [[last, ['drain', '7', 'broken fan'], ['undrain', '2', '']]])
})
