import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { tooLarge, unavailable } from '#serving/status.ts'
import { HOUR_MS } from '../../../webhook/authority/certificate-authority.ts'
import type { NewObject } from '../../../webhook/kubernetes/cluster.ts'
import { createRequest, dns } from '../../support/certificate-requests.ts'
import {
  INJECTED,
  job,
  leadBroker,
  miniCluster,
  NAMES,
  POD,
  SIDECAR,
  TOKEN,
} from '../../support/lead-broker.ts'
import { accepts, replica, setup as setupAuthority } from '../authority/replicas.ts'
import { AWAY, bodyOf, CSR, HEADER, PEER, setup, TRUST } from '../issuing.ts'

const WHO = { client: 'sidecar', namespace: 'hpc', pod: POD.name, minicluster: 'lammps' }

test("a lead broker's sidecar is issued a certificate and the CAs to trust", async () => {
  const { ask } = setup()
  assert.deepEqual(await ask({ csr: CSR }), { certificate: 'a certificate', ...TRUST })
})

test('an issued identity is logged and counted', async () => {
  const { ask, lines, counts } = setup()
  await ask({ csr: CSR })
  assert.deepEqual(lines, [
    { level: 'info', ...WHO, outcome: 'Issued', names: NAMES, msg: 'identity issued' },
  ])
  assert.deepEqual(await counts(), { Issued: 1 })
})

test('without a certificate request the answer has no certificate, but all the rest', async () => {
  const { ask, issued } = setup()
  assert.deepEqual(await ask(), TRUST)
  assert.deepEqual(issued, [])
})

test('a request without one, which each sidecar sends every few minutes, is counted and not logged', async () => {
  const { ask, lines, counts } = setup()
  await ask()
  assert.deepEqual(lines, [])
  assert.deepEqual(await counts(), { TrustOnly: 1 })
})

for (const asked of [[], NAMES.slice(0, 1), NAMES.slice(1), NAMES]) {
  test(`a certificate is for both names of the pod if ${asked.length} are requested: ${asked}`, async () => {
    const { ask, issued } = setup()
    await ask({ csr: await createRequest({ names: dns(...asked) }) })
    assert.deepEqual(issued, [{ names: NAMES }])
  })
}

test('a certificate is signed by the CA, for the key of the request, a day and exactly the names', async () => {
  const { cluster, clock } = setupAuthority()
  const { authority } = replica(cluster, clock)
  await authority.tick()
  const { certificate = '' } = await setup({ authority }).ask({ csr: CSR })
  for (const name of NAMES)
    assert.ok(accepts(authority.bundle, certificate, { name, at: clock.ms }))
  const { subjectAltName, validToDate } = new X509Certificate(certificate)
  assert.equal(subjectAltName, NAMES.map((name) => `DNS:${name}`).join(', '))
  assert.equal(Math.round((validToDate.getTime() - clock.ms) / HOUR_MS), 24)
})

test('the API server reviews the token with the audience of the project', async () => {
  const { ask, cluster } = setup()
  const { review } = cluster
  const asked: unknown[] = []
  cluster.review = (object) => {
    asked.push(object)
    return review(object)
  }
  await ask()
  assert.deepEqual(asked, [
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token: TOKEN, audiences: ['flux-metrics'] },
    },
  ])
})

test('a sidecar that is an ordinary container is issued a certificate too', async () => {
  const pod = leadBroker({}, { initContainers: [], containers: [{ name: 'lammps' }, SIDECAR] })
  assert.deepEqual(await setup({ objects: [miniCluster(), job(), pod] }).ask(), TRUST)
})

test('a pod in its grace period still serves, and is issued a certificate', async () => {
  const pod = leadBroker({ deletionTimestamp: '2026-11-24T01:02:03Z' })
  assert.deepEqual(await setup({ objects: [miniCluster(), job(), pod] }).ask(), TRUST)
})

/** Where metrics were switched off after the pod had been injected. */
const SWITCHED_OFF: Readonly<Record<string, readonly [NewObject, NewObject]>> = {
  'on its MiniCluster': [miniCluster({ annotations: {} }), leadBroker()],
  'on its MiniCluster, in so many words': [
    miniCluster({ annotations: { 'flux-metrics/enabled': 'false' } }),
    leadBroker(),
  ],
  'on the pod itself': [
    miniCluster(),
    leadBroker({ annotations: { ...INJECTED, 'flux-metrics/enabled': 'false' } }),
  ],
}

for (const [where, [minicluster, pod]] of Object.entries(SWITCHED_OFF)) {
  test(`a pod with the sidecar is issued certificates until it ends, though metrics were switched off ${where}`, async () => {
    const { ask } = setup({ objects: [minicluster, job(), pod] })
    assert.deepEqual(await ask({ csr: CSR }), { certificate: 'a certificate', ...TRUST })
  })
}

test('whichever call to the API server fails, the answer is 503, and nothing is issued', async () => {
  const { cluster, ask: askOnce } = setup()
  await askOnce()
  assert.deepEqual(
    cluster.calls.map(({ verb, kind }) => `${verb} ${kind}`),
    ['create TokenReview', 'get Pod', 'get Job', 'get MiniCluster'],
  )
  for (let n = 1; n <= cluster.calls.length; n += 1) {
    const { cluster: failing, ask, counts, issued } = setup()
    failing.failAt(n)
    await assert.rejects(ask({ csr: CSR }), {
      code: 503,
      message: 'Cannot issue an identity: cannot reach the API server: connection refused',
    })
    assert.deepEqual([issued, await counts()], [[], { ApiServerAway: 1 }])
  }
})

const NO_REVIEWS: readonly [what: string, status: unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['an answer of another shape', { authenticated: 'yes' }],
  ['a user of another shape', { authenticated: true, user: { username: 7 } }],
]

for (const [what, status] of NO_REVIEWS) {
  test(`an API server that answers ${what} to a token review has not reviewed the token`, async () => {
    const { ask, cluster, counts } = setup()
    cluster.review = (review) => ({ ...review, status })
    await assert.rejects(ask({ csr: CSR }), {
      code: 503,
      message: 'Cannot issue an identity: the API server did not review the token',
    })
    assert.deepEqual(await counts(), { ApiServerAway: 1 })
  })
}

test('a webhook without an authority of its own issues nothing', async () => {
  const { ask, counts } = setup({ authority: undefined })
  await assert.rejects(ask({ csr: CSR }), {
    code: 503,
    message: 'Cannot issue an identity: this webhook issues no certificates (CERTIFICATES=files)',
  })
  assert.deepEqual(await counts(), { NoAuthority: 1 })
})

test("without the front proxy's CA nothing is issued: any client could pass for the front proxy", async () => {
  const { ask, counts } = setup({ requestHeader: { header: undefined } })
  await assert.rejects(ask({ csr: CSR }), {
    code: 503,
    message: "Cannot issue an identity: the front proxy's authority is not known yet",
  })
  assert.deepEqual(await counts(), { NoAuthority: 1 })
})

test('the answer has the CAs of the moment', async () => {
  const requestHeader = { header: HEADER }
  const { ask } = setup({ requestHeader })
  await ask()
  requestHeader.header = { ...HEADER, allowedNames: ['aggregator'] }
  const { allowedNames } = (await ask()).requestHeader
  assert.deepEqual(allowedNames, ['aggregator', 'flux-metrics-gateway'])
})

test('an expired CA is answered with 503 and the reason', async () => {
  const expired = 'Cannot use the certificate authority: it expired at 2027-01-01T00:00:00.000Z'
  const issue = async () => {
    throw unavailable(expired)
  }
  const { ask, lines, counts } = setup({ authority: { bundle: TRUST.ca, issue } })
  const message =
    'Cannot issue an identity: cannot use the certificate authority: it expired at 2027-01-01T00:00:00.000Z'
  await assert.rejects(ask({ csr: CSR }), { code: 503, message })
  assert.deepEqual(lines, [
    { level: 'warn', outcome: 'NoAuthority', why: message, msg: 'identity refused' },
  ])
  assert.deepEqual(await counts(), { NoAuthority: 1 })
})

test('a defect is answered with 500 and a constant text, and has its cause for the log', async () => {
  const defect = new TypeError('secret detail')
  const issue = async () => {
    throw defect
  }
  const { ask, lines, counts } = setup({ authority: { bundle: TRUST.ca, issue } })
  const message = 'Internal error of flux-metrics'
  await assert.rejects(ask({ csr: CSR }), { code: 500, message, cause: defect })
  assert.deepEqual(lines, [
    { level: 'warn', outcome: 'InternalError', why: message, msg: 'identity refused' },
  ])
  assert.deepEqual(await counts(), { InternalError: 1 })
})

test('a body that cannot be read is answered before the API server is asked', async () => {
  const { issue, cluster, counts } = setup()
  const body = Promise.reject(tooLarge('Cannot read the body: it has more than 7 bytes'))
  await assert.rejects(issue({ token: TOKEN, body, peer: PEER }), {
    code: 413,
    message: 'Cannot issue an identity: cannot read the body: it has more than 7 bytes',
  })
  assert.deepEqual([cluster.calls, await counts()], [[], { BadRequest: 1 }])
})

for (const value of [null, 'text', { csr: 7 }, { csr: null }]) {
  test(`a body that is not a request is answered with 400: ${JSON.stringify(value)}`, async () => {
    const { issue, lines, counts } = setup()
    const message = 'Cannot issue an identity: expected a JSON object with an optional string "csr"'
    await assert.rejects(issue({ token: TOKEN, body: bodyOf(value), peer: PEER }), {
      code: 400,
      message,
    })
    assert.deepEqual(lines, [
      { level: 'warn', outcome: 'BadRequest', why: message, msg: 'identity refused' },
    ])
    assert.deepEqual(await counts(), { BadRequest: 1 })
  })
}

test('a body that is not JSON is answered with 400', async () => {
  const body = Promise.resolve(Buffer.from('csr=1'))
  await assert.rejects(setup().issue({ token: TOKEN, body, peer: PEER }), { code: 400 })
})

test('while the API server is not reachable no token is accepted, and later it is again', async () => {
  const { ask, cluster } = setup()
  cluster.failWith(AWAY)
  await assert.rejects(ask({ csr: CSR }), { code: 503 })
  cluster.failWith(undefined)
  assert.deepEqual(await ask({ csr: CSR }), { certificate: 'a certificate', ...TRUST })
})

/** Bodies that come whenever the test says so. */
function slowBody() {
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  return { body: promise, arrive: () => resolve(Buffer.from('{}')) }
}

test('slow bodies and wrong tokens take no place of others', async () => {
  const { ask, issue, cluster } = setup()
  const slow = Array.from({ length: 40 }, slowBody)
  const waiting = slow.map(({ body }, index) =>
    issue({ token: TOKEN, body, peer: `10.2.0.${index}` }),
  )
  assert.deepEqual(await ask(), TRUST)
  cluster.calls.length = 0
  for (const { arrive } of slow) arrive()
  const results = await Promise.allSettled(waiting)
  const served = results.filter(({ status }) => status === 'fulfilled').length
  assert.equal(served, 32)
  await assert.rejects(issue({ token: 'abc', body: bodyOf({}), peer: PEER }), { code: 401 })
  assert.deepEqual(await ask(), TRUST)
})

test('one address takes a quarter of the places', async () => {
  const { ask, issue } = setup()
  const sent = Array.from({ length: 32 }, () =>
    issue({ token: TOKEN, body: bodyOf({}), peer: '10.2.0.1' }),
  )
  const other = ask()
  const results = await Promise.allSettled(sent)
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 8)
  assert.deepEqual(await other, TRUST)
  assert.deepEqual(await issue({ token: TOKEN, body: bodyOf({}), peer: '10.2.0.1' }), TRUST)
})

test('a flood of tokens costs the API server a bounded number of reviews and the log a bounded number of lines', async () => {
  const { issue, cluster, lines, counts } = setup()
  for (let index = 0; index < 1_000; index += 1) {
    const asked = issue({ token: 'a.b.c', body: bodyOf({}), peer: `10.2.0.${index % 200}` })
    await assert.rejects(asked)
  }
  const reviews = cluster.calls.filter(({ kind }) => kind === 'TokenReview').length
  const { TokenRefused = 0, TooMany = 0 } = await counts()
  assert.ok(reviews >= 100 && reviews < 300, String(reviews))
  assert.deepEqual([TokenRefused, TokenRefused + TooMany], [reviews, 1_000])
  assert.ok(lines.length < 300, String(lines.length))
})
