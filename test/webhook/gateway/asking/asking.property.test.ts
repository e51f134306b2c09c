// Whatever pods there are, with whatever labels and certificates: an answer is from a server that holds the certificate of the
// MiniCluster that was asked, and nobody else receives a byte.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sidecarName } from '#serving/certificates/certificate-names.ts'
import type { MiniClusterName } from '../../../../webhook/gateway/peers/peer.ts'
import { createAuthority } from '../../../support/certificates.ts'
import { bodyFor, CA, certify, pathOf, podOf, serve, setup } from './fleet.ts'

const NAMES = [
  { namespace: 'a', minicluster: 'one' },
  { namespace: 'a', minicluster: 'two' },
  // The same labels in another order.
  { namespace: 'one', minicluster: 'a' },
] as const

test('an answer is only ever from the MiniCluster that was asked', async (t) => {
  const strangers = await createAuthority('flux-metrics CA')
  const certificates = [
    ...(await Promise.all(NAMES.map(async (name) => ({ name, keys: await certify(name) })))),
    ...(await Promise.all(
      NAMES.map(async (name) => ({ name: undefined, keys: await certify(name, strangers) })),
    )),
    {
      name: undefined,
      keys: await CA.issue({
        commonName: sidecarName(NAMES[0]),
        dns: ['*.a.miniclusters.flux-metrics'],
      }),
    },
    {
      name: undefined,
      keys: await CA.issue({
        commonName: 'expired',
        dns: NAMES.map(sidecarName),
        notAfter: new Date(Date.now() - 1_000),
      }),
    },
  ]
  // Each server lies: it answers any question as if it were the one that is asked, with its index as the value.
  const servers = await Promise.all(
    certificates.map(({ keys }, index) =>
      serve(t, keys, (request, response) => {
        const asked = NAMES.find((name) => pathOf(name) === request.url)
        response.setHeader('content-type', 'application/json')
        response.end(asked && bodyFor(asked, String(index)))
      }),
    ),
  )
  // The first servers are those of the names. Every other pod leads to the one of its label.
  const pod = fc
    .record({
      label: fc.nat({ max: NAMES.length - 1 }),
      other: fc.option(fc.nat({ max: servers.length - 1 }), { freq: 2 }),
      createdAt: fc.nat({ max: 3 }),
    })
    .map(({ label, other, createdAt }) => ({
      label: NAMES[label] as MiniClusterName,
      server: other ?? label,
      createdAt,
    }))
  let answers = 0
  await fc.assert(
    fc.asyncProperty(fc.array(pod, { maxLength: 6 }), async (pods) => {
      const { ask, asking } = setup(t, {
        pods: pods.map(({ label, server, createdAt }, index) =>
          podOf(label, servers[server]?.port ?? 0, { uid: `${index}`, createdAt }),
        ),
      })
      for (const name of NAMES) {
        const answer = await ask(name).catch(() => undefined)
        if (answer === undefined) continue
        answers += 1
        const from = Number(JSON.parse(answer.body).items[0].value)
        assert.equal(certificates[from]?.name, name)
        assert.ok(pods.some(({ label, server }) => label === name && server === from))
      }
      asking.close()
    }),
    { numRuns: 100 },
  )
  assert.ok(answers > 20)
  for (const [index, server] of servers.entries()) {
    const { name } = certificates[index] ?? {}
    const hosts = server.requests.map(({ headers }) => headers.host)
    if (name === undefined) assert.equal(server.received(), 0)
    else assert.ok(hosts.every((host) => host === sidecarName(name)))
  }
})
