import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { createAuthority } from '../../../support/certificates.ts'
import { until } from '../../../support/until.ts'
import {
  answering,
  bodyFor,
  CA,
  certify,
  errorOf,
  NAME,
  pathOf,
  podOf,
  serve,
  setup,
} from './fleet.ts'

const OTHER = { namespace: 'team-b', minicluster: 'flux-sample' }
const KEYS = await certify(NAME)

test('passes on the answer of the sidecar of a MiniCluster, on one connection', async (t) => {
  const sidecar = await serve(t, KEYS, answering(NAME))
  const { ask, outcomes } = setup(t, { pods: [podOf(NAME, sidecar.port)] })
  const answer = { contentType: 'application/json', body: bodyFor(NAME) }
  assert.deepEqual(await ask(), answer)
  assert.deepEqual(await ask(), answer)
  assert.equal(sidecar.connections.size, 1)
  assert.deepEqual(outcomes, [
    ['answered', false],
    ['answered', false],
  ])
  const [request] = sidecar.requests
  assert.equal(request?.url, pathOf(NAME))
  assert.deepEqual(request?.headers, {
    accept: '*/*',
    host: 'flux-sample.team-a.miniclusters.flux-metrics',
    'user-agent': 'flux-metrics-gateway/0.2.0',
    connection: 'keep-alive',
  })
})

test('the older pod answers if the newest is an imitator, which receives nothing', async (t) => {
  const strangers = await createAuthority('another CA')
  const imitations = {
    'of another MiniCluster': await certify(OTHER),
    'of another CA': await certify(NAME, strangers),
    'with the name as its common name only': await CA.issue({
      commonName: 'flux-sample.team-a.miniclusters.flux-metrics',
    }),
    'with a wildcard': await CA.issue({
      commonName: 'sidecar',
      dns: ['*.team-a.miniclusters.flux-metrics'],
    }),
    'for clients only': await CA.issue({
      commonName: 'sidecar',
      dns: ['flux-sample.team-a.miniclusters.flux-metrics'],
      extendedKeyUsage: ['clientAuth'],
    }),
  }
  for (const [what, keys] of Object.entries(imitations)) {
    await t.test(`a certificate ${what}`, async (t) => {
      const real = await serve(t, KEYS, answering(NAME, '4'))
      const imitator = await serve(t, keys, answering(NAME, '1'))
      const { ask, lines } = setup(t, {
        pods: [
          podOf(NAME, imitator.port, { pod: 'copy', createdAt: 2 }),
          podOf(NAME, real.port, { createdAt: 1 }),
        ],
      })
      for (let times = 0; times < 3; times += 1) {
        assert.equal((await ask()).body, bodyFor(NAME, '4'))
      }
      assert.deepEqual([imitator.requests.length, imitator.received()], [0, 0])
      const logged = lines.map(({ msg, pod }) => [msg, pod])
      assert.deepEqual(logged, [['a pod is not the sidecar it says to be', 'copy']])
    })
  }
})

test('says why a pod is not the sidecar if there is no other', async (t) => {
  const imitator = await serve(t, await certify(OTHER), answering(NAME))
  const { ask, outcomes } = setup(t, { pods: [podOf(NAME, imitator.port)] })
  const expected = [
    503,
    `MiniCluster team-a/flux-sample: its pod flux-sample-0-x is not its sidecar at 127.0.0.1:${imitator.port}: ` +
      'its certificate is for another name: it is for "DNS:flux-sample.team-b.miniclusters.flux-metrics"',
  ]
  assert.deepEqual(await errorOf(ask()), expected)
  assert.deepEqual(await errorOf(ask()), expected)
  assert.equal(imitator.received(), 0)
  assert.deepEqual(outcomes[0], ['identity', false])
})

/** Starts a server without TLS. @returns its port */
async function listen(t: TestContext, onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => onConnection(socket.on('error', () => {})))
  t.after(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

test('a pod that speaks no TLS is dismissed', async (t) => {
  const real = await serve(t, KEYS, answering(NAME))
  const plain = await listen(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const { ask } = setup(t, { pods: [podOf(NAME, plain, { createdAt: 1 }), podOf(NAME, real.port)] })
  assert.equal((await ask()).body, bodyFor(NAME))
})

test('a handshake that does not end is given up with its askers', async (t) => {
  const sockets: Socket[] = []
  const port = await listen(t, (socket) => sockets.push(socket))
  const { ask, asking } = setup(t, { pods: [podOf(NAME, port)] })
  for (let times = 0; times < 3; times += 1) {
    const [, message] = await errorOf(ask(NAME, { waitMs: 600 }))
    assert.match(message, /its pod flux-sample-0-x did not answer within 0\.\d s at 127\.0\.0\.1/)
  }
  await until(() => asking.state.openCircuits === 1, 'the circuit is open')
  for (const socket of sockets) socket.destroy()
})

test('who gets no turn in time is told so', async (t) => {
  const hung = await serve(t, KEYS, () => {})
  const well = await serve(t, await certify(OTHER), answering(OTHER))
  const { ask } = setup(t, {
    pods: [podOf(NAME, hung.port), podOf(OTHER, well.port)],
    limits: { total: 1, each: 1, waiting: 10 },
  })
  const holder = errorOf(ask(NAME, { waitMs: 400 }))
  assert.deepEqual(await errorOf(ask(OTHER, { waitMs: 100 })), [
    503,
    'MiniCluster team-b/flux-sample: its turn did not come in time: ' +
      'requests to sidecars under way 1, waiting 1',
  ])
  const patient = ask(OTHER)
  await holder
  assert.equal((await patient).body, bodyFor(OTHER))
  assert.equal(well.requests.length, 1)
})

test('an older pod never answers for a newer one that cannot be reached', async (t) => {
  const old = await serve(t, KEYS, answering(NAME))
  const gone = await serve(t, KEYS, answering(NAME))
  gone.server.close()
  const { ask } = setup(t, {
    pods: [podOf(NAME, gone.port, { createdAt: 1 }), podOf(NAME, old.port)],
  })
  assert.deepEqual(await errorOf(ask()), [
    503,
    `MiniCluster team-a/flux-sample: its pod flux-sample-0-x does not answer at 127.0.0.1:${gone.port}: connection refused`,
  ])
  assert.equal(old.requests.length, 0)
})

test('an older pod of another Job does not answer for a newer one that has no certificate yet', async (t) => {
  const former = await serve(t, KEYS, answering(NAME, '9'))
  const young = await serve(
    t,
    await certify(NAME, await createAuthority('itself')),
    answering(NAME),
  )
  const pods = (job: string) => [
    podOf(NAME, young.port, { createdAt: 1 }),
    podOf(NAME, former.port, { job }),
  ]
  const { ask } = setup(t, { pods: pods('uid of a former Job') })
  // The second question is not sent to the pod that was just dismissed.
  for (const _ of [1, 2]) {
    const [code, message] = await errorOf(ask())
    assert.equal(code, 503)
    assert.match(message, /its certificate is not signed by the CA of the project/)
  }
  assert.equal(former.received() + young.received(), 0)
  // A pod of the same Job is of the same MiniCluster.
  const same = setup(t, { pods: pods('uid of the Job') })
  assert.equal((await same.ask()).body, bodyFor(NAME, '9'))
})

test('an expired certificate is an error, and no older pod answers', async (t) => {
  const old = await serve(t, KEYS, answering(NAME))
  const expired = await CA.issue({
    commonName: 'sidecar',
    dns: ['flux-sample.team-a.miniclusters.flux-metrics'],
    notAfter: new Date(Date.now() - 1_000),
  })
  const sidecar = await serve(t, expired, answering(NAME))
  const { ask } = setup(t, {
    pods: [podOf(NAME, sidecar.port, { createdAt: 1 }), podOf(NAME, old.port)],
  })
  const [code, message] = await errorOf(ask())
  assert.equal(code, 503)
  assert.match(message, /flux-sample-0-x does not answer .*: its certificate has expired/)
  assert.equal(sidecar.received() + old.received(), 0)
})

test('says what is known of a MiniCluster without a sidecar', async (t) => {
  const { ask, peers } = setup(t)
  const title = 'MiniCluster team-a/flux-sample'
  assert.deepEqual(await errorOf(ask()), [404, `${title}: no pod has its sidecar`])
  peers.missing = 'the pods were not listed'
  assert.deepEqual(await errorOf(ask()), [
    503,
    `${title}: its sidecar is not known yet: the pods were not listed`,
  ])
  peers.unready = { pod: 'flux-sample-0-x', why: 'has no address' }
  assert.deepEqual(await errorOf(ask()), [503, `${title}: its pod flux-sample-0-x has no address`])
})

test('equal questions are one request, and each asker has a deadline of his own', async (t) => {
  const sidecar = await serve(t, KEYS, async (request, response) => {
    await setTimeout(300)
    answering(NAME)(request, response)
  })
  const { ask, outcomes } = setup(t, { pods: [podOf(NAME, sidecar.port)] })
  const askers = Array.from({ length: 50 }, () => ask())
  const hasty = errorOf(ask(NAME, { waitMs: 100 }))
  const other = ask(NAME, { accept: 'application/json' })
  const [code, message] = await hasty
  assert.equal(code, 503)
  assert.match(message, /flux-sample-0-x did not answer within 0\.\d s at 127\.0\.0\.1/)
  for (const { body } of await Promise.all(askers)) assert.equal(body, bodyFor(NAME))
  await other
  assert.equal(sidecar.requests.length, 2)
  assert.equal(outcomes.filter(([outcome, shared]) => outcome === 'answered' && shared).length, 49)
})

test('who the user is, is told to the sidecar, and nobody shares the answer of another user', async (t) => {
  const sidecar = await serve(t, KEYS, async (request, response) => {
    await setTimeout(100)
    answering(NAME)(request, response)
  })
  const { ask } = setup(t, { pods: [podOf(NAME, sidecar.port)] })
  await Promise.all([ask(NAME, { user: 'hpa' }), ask(), ask(NAME, { user: 'hpa' })])
  const users = sidecar.requests.map(({ headers }) => headers['x-remote-user'])
  assert.deepEqual(new Set(users), new Set(['hpa', undefined]))
  assert.equal(users.length, 2)
})

test('a request ends when nobody waits for it any more', async (t) => {
  const sidecar = await serve(t, KEYS, () => {})
  const { ask, asking } = setup(t, { pods: [podOf(NAME, sidecar.port)] })
  await errorOf(ask(NAME, { waitMs: 200 }))
  await until(() => sidecar.connections.size === 0, 'the connection is closed')
  assert.deepEqual(asking.state, { running: 0, waiting: 0, openCircuits: 0, idleConnections: 0 })
})

test('a connection that the sidecar has just closed is replaced', async (t) => {
  const sidecar = await serve(t, KEYS, answering(NAME))
  const { ask } = setup(t, { pods: [podOf(NAME, sidecar.port)] })
  await ask()
  for (const socket of sidecar.connections) socket.destroy()
  // In the same turn of the event loop: the gateway cannot know yet.
  assert.equal((await ask()).body, bodyFor(NAME))
})

test('a request whose new connection is closed is not repeated', async (t) => {
  const sidecar = await serve(t, KEYS, ({ socket }) => socket.destroy())
  const { ask } = setup(t, { pods: [podOf(NAME, sidecar.port)] })
  const [code, message] = await errorOf(ask())
  assert.equal(code, 503)
  assert.match(message, /: the connection was closed before the end of an answer$/)
  assert.equal(sidecar.requests.length, 1)
})

test('a sidecar that hangs is not asked for a while, and the others are not delayed', async (t) => {
  const hung = await serve(t, KEYS, () => {})
  const well = await serve(t, await certify(OTHER), answering(OTHER))
  const pods = [podOf(NAME, hung.port), podOf(OTHER, well.port)]
  const { ask, asking, peers } = setup(t, { pods, random: () => 1 })
  const asked = Array.from({ length: 20 }, (_, index) =>
    errorOf(ask(NAME, { path: `/explain?${index}`, waitMs: 700 })),
  )
  await setTimeout(100)
  assert.equal(asking.state.running, 4)
  assert.equal((await ask(OTHER)).body, bodyFor(OTHER))
  await Promise.all(asked)
  await until(() => asking.state.openCircuits === 1, 'the circuit is open')
  const [, message] = await errorOf(ask())
  assert.match(message, / did not answer within .*; so it is since .*Z, and it is tried again/)
  // Another pod has a circuit of its own.
  const next = await serve(t, KEYS, answering(NAME))
  peers.pods.push(podOf(NAME, next.port, { createdAt: 1 }))
  assert.equal((await ask()).body, bodyFor(NAME))
})

test('credentials change under load, and no request fails', async (t) => {
  const next = await createAuthority('next CA')
  const sidecar = await serve(t, KEYS, async (request, response) => {
    await setTimeout(1)
    answering(NAME)(request, response)
  })
  const { ask, asking } = setup(t, { pods: [podOf(NAME, sidecar.port)] })
  let count = 0
  let isOver = false
  const load = Array.from({ length: 4 }, async (_, index) => {
    for (; !isOver; count += 1) await ask(NAME, { accept: `text/plain, */*;q=0.${index}` })
  })
  for (let times = 0; times < 5; times += 1) {
    for (const from = count; count < from + 5; ) await setTimeout(10)
    const keys = await (times % 2 === 0 ? next : CA).issue({ commonName: 'flux-metrics-gateway' })
    asking.update({ ...keys, ca: [CA.cert, next.cert].join('\n') })
    // The sidecar gets a certificate of the next CA, too.
    if (times === 2) sidecar.server.setSecureContext(await certify(NAME, next))
  }
  isOver = true
  await Promise.all(load)
  const before = sidecar.requests.length
  asking.update({ ...(await next.issue({ commonName: 'flux-metrics-gateway' })), ca: CA.cert })
  // Now the sidecar's certificate is of a CA that counts no more, and no kept connection is used for it.
  const [, message] = await errorOf(ask())
  assert.match(message, /not signed by the CA of the project/)
  assert.equal(sidecar.requests.length, before)
})
