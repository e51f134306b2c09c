import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  REFERENCE,
  RequestHeaderWatch,
} from '../../../../webhook/kubernetes/aggregation/request-header.ts'
import { createAuthority } from '../../../support/certificates.ts'
import { requestHeader } from '../../../support/lead-broker.ts'
import { MemoryCluster } from '../../../support/memory-cluster.ts'
import { memoryLog } from '../../../support/memory-log.ts'
import { AWAY, Clock } from '../../authority/replicas.ts'

const MINUTE_MS = 60_000

const certificate = async (name: string) => (await createAuthority(name)).cert
const first = await certificate('first')
const second = await certificate('second')
const third = await certificate('third')

function setup(cluster = new MemoryCluster([requestHeader(first)])) {
  const clock = new Clock()
  const { log, lines } = memoryLog()
  const watch = new RequestHeaderWatch({ cluster, log, now: clock.now })
  return { cluster, clock, lines, watch }
}

/** The number of CA certificates and the allowed names. */
function trusted({ header }: RequestHeaderWatch) {
  return [header?.clientCa, header?.allowedNames]
}

test('RequestHeaderWatch reads the front proxy that kube-apiserver publishes', async () => {
  const { cluster, watch } = setup()
  assert.equal(watch.header, undefined)
  assert.equal(await watch.tick(), true)
  assert.deepEqual(watch.header, {
    clientCa: first,
    allowedNames: ['front-proxy-client'],
    usernameHeaders: ['X-Remote-User'],
    groupHeaders: ['X-Remote-Group'],
    extraHeaderPrefixes: ['X-Remote-Extra-'],
  })
  assert.deepEqual(cluster.calls, [{ verb: 'get', ...REFERENCE }])
})

test('RequestHeaderWatch treats missing lists as empty ones, as kube-apiserver does', async () => {
  const { cluster, watch } = setup()
  const { data: _all, ...object } = requestHeader(first)
  cluster.put({ ...object, data: { 'requestheader-client-ca-file': first } })
  await watch.tick()
  assert.deepEqual(watch.header, {
    clientCa: first,
    allowedNames: [],
    usernameHeaders: [],
    groupHeaders: [],
    extraHeaderPrefixes: [],
  })
})

test('An unchanged front proxy is not logged', async () => {
  const { watch, lines } = setup()
  await watch.tick()
  const { header } = watch
  await watch.tick()
  assert.deepEqual([watch.header === header, lines], [true, []])
})

test('After a rotation old and new are accepted for longer than sidecars need to read the new one', async () => {
  const { cluster, clock, watch, lines } = setup()
  await watch.tick()
  cluster.put(requestHeader(second, { 'requestheader-allowed-names': '["aggregator"]' }))
  await watch.tick()
  const both = [`${second}\n${first}\n`, ['aggregator', 'front-proxy-client']]
  assert.deepEqual(trusted(watch), both)
  assert.deepEqual(lines, [
    {
      level: 'info',
      allowedNames: ['aggregator'],
      msg: "the front proxy's authority has changed",
    },
  ])
  clock.ms += 10 * MINUTE_MS
  await watch.tick()
  assert.deepEqual(trusted(watch), both)
  clock.ms += 5 * MINUTE_MS
  assert.deepEqual(trusted(watch), [second, ['aggregator']])
})

test('After two rotations in succession the last two front proxies are accepted', async () => {
  const { cluster, watch } = setup()
  for (const ca of [first, second, third]) {
    cluster.put(requestHeader(ca))
    await watch.tick()
  }
  assert.deepEqual(trusted(watch), [`${third}\n${second}\n`, ['front-proxy-client']])
})

test('If only the names change, the CA is not repeated', async () => {
  const { cluster, watch } = setup()
  await watch.tick()
  cluster.put(requestHeader(first, { 'requestheader-allowed-names': '["aggregator"]' }))
  await watch.tick()
  assert.deepEqual(trusted(watch), [first, ['aggregator', 'front-proxy-client']])
})

test('If any name was allowed before, any name still is: an empty list must not become a short one', async () => {
  const { cluster, clock, watch } = setup()
  cluster.put(requestHeader(first, { 'requestheader-allowed-names': '[]' }))
  await watch.tick()
  cluster.put(requestHeader(first))
  await watch.tick()
  assert.deepEqual(trusted(watch), [first, []])
  clock.ms += 15 * MINUTE_MS
  assert.deepEqual(trusted(watch), [first, ['front-proxy-client']])
})

test('While the API server is not reachable, the front proxy stays, and the outage is logged once', async () => {
  const { cluster, watch, lines } = setup()
  await watch.tick()
  cluster.failWith(AWAY)
  assert.deepEqual([await watch.tick(), await watch.tick()], [false, false])
  assert.equal(watch.header?.clientCa, first)
  cluster.failWith(undefined)
  await watch.tick()
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    [
      ['warn', "cannot read the front proxy's authority: trying again"],
      ['info', "can read the front proxy's authority again"],
    ],
  )
})

const WHERE = 'ConfigMap "kube-system/extension-apiserver-authentication"'
const BROKEN: readonly [what: string, data: Record<string, string>, why: string][] = [
  [
    'a CA that is no certificate',
    { 'requestheader-client-ca-file': 'nonsense' },
    `Cannot read ${WHERE}: expected certificates in PEM at "data.requestheader-client-ca-file"`,
  ],
  [
    'an empty CA',
    { 'requestheader-client-ca-file': '' },
    `Cannot read ${WHERE}: expected certificates in PEM at "data.requestheader-client-ca-file"`,
  ],
  [
    'names that are no JSON',
    { 'requestheader-allowed-names': 'front-proxy-client' },
    `Cannot read ${WHERE}: expected a JSON array of strings at "data.requestheader-allowed-names"`,
  ],
  [
    'names that are no array',
    { 'requestheader-allowed-names': '"front-proxy-client"' },
    `Cannot read ${WHERE}: expected a JSON array of strings at "data.requestheader-allowed-names"`,
  ],
]

for (const [what, data, why] of BROKEN) {
  test(`A ConfigMap with ${what} is logged as invalid, and the front proxy stays`, async () => {
    const { cluster, watch, lines } = setup()
    await watch.tick()
    cluster.put(requestHeader(second, data))
    assert.equal(await watch.tick(), false)
    assert.equal(watch.header?.clientCa, first)
    const [{ level, err } = {}] = lines
    assert.ok(typeof err === 'object' && err !== null && 'message' in err)
    assert.equal(level, 'error')
    // The log adds the cause.
    assert.ok(String(err.message).startsWith(why))
  })
}

test('An API server without a front proxy is logged', async () => {
  for (const objects of [[], [{ ...requestHeader(first), data: { 'client-ca-file': first } }]]) {
    const { watch, lines } = setup(new MemoryCluster(objects))
    assert.deepEqual([await watch.tick(), watch.header], [false, undefined])
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [['error', "cannot read the front proxy's authority: trying again"]],
    )
  }
})

test('RequestHeaderWatch reads every few seconds until it is closed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { cluster, watch } = setup()
  await watch.start()
  cluster.put(requestHeader(second))
  t.mock.timers.tick(5_000)
  await new Promise(setImmediate)
  assert.equal(watch.header?.clientCa, `${second}\n${first}\n`)
  watch.close()
  t.mock.timers.tick(60_000)
  assert.equal(cluster.calls.length, 2)
})
