// Hostile clients against the server with the limits of a small container, each attack from several addresses. While it
// lasts, an API server's request and a kubelet's probe are answered every time.
import assert from 'node:assert/strict'
import { Agent } from 'node:https'
import { type TestContext, test } from 'node:test'
import { UNKNOWN_CERTIFICATES } from '#serving/https/limits.ts'
import { ask } from '../../support/https.ts'
import { memoryLog } from '../../support/memory-log.ts'
import { ATTACKS } from './attacks.ts'
import { authority, knowsClient, serve } from './local-server.ts'

/** Rounds of requests during an attack. Its connections come back many times meanwhile. */
const ROUNDS = 5

/** Far more connections than the server takes, and from more addresses than it would need to hold them all. */
const ATTACK = {
  addresses: ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'],
  connections: 8,
  path: '/livez',
  largePath: '/large',
}

const LIMITS = {
  connections: 16,
  peerConnections: 6,
  requests: 12,
  peerRequests: 4,
  arrivals: {
    peer: { burst: 30, perSecond: 5 },
    reserved: { burst: 12, perSecond: 1 },
    shared: { burst: 40, perSecond: 5 },
    unknownCertificates: UNKNOWN_CERTIFICATES,
  },
}

/** More than the kernel takes of an answer that is not read. */
const LARGE = Buffer.alloc(8 * 1024 * 1024)

/** Addresses of the API server and of the kubelet. */
const API_SERVER = '127.0.0.10'
const KUBELET = '127.0.0.11'

const client = await authority.issue({ commonName: 'proxy', extendedKeyUsage: ['clientAuth'] })

/** How the two programs use the server. */
const PROGRAMS = {
  sidecar: { options: { clientCa: authority.cert, knowsClient }, pair: client },
  // API servers show no certificate to a webhook.
  webhook: { options: { readsBodies: true }, pair: undefined },
} as const

async function start(t: TestContext, { options }: (typeof PROGRAMS)[keyof typeof PROGRAMS]) {
  const { log, lines } = memoryLog()
  const { port } = await serve(t, {
    ...options,
    log,
    limits: LIMITS,
    handler: (request, response) => {
      const answer = () => response.end(request.url === '/large' ? LARGE : 'hello')
      if (request.method === 'GET') answer()
      else request.resume().once('end', answer)
    },
  })
  return { port, lines }
}

for (const [program, how] of Object.entries(PROGRAMS)) {
  for (const [name, attack] of Object.entries(ATTACKS)) {
    test(`The ${program} answers an API server and a kubelet against ${name}`, async (t) => {
      const { port, lines } = await start(t, how)
      const kept = new Agent({ keepAlive: true, maxSockets: 1 })
      t.after(() => kept.destroy())
      const asApiServer = { client: how.pair, localAddress: API_SERVER }
      assert.equal((await ask(port, '/', { ...asApiServer, agent: kept })).status, 200)
      const stop = await attack({ port, ...ATTACK })
      t.after(stop)
      for (let round = 0; round < ROUNDS; round += 1) {
        assert.equal((await ask(port, '/', { ...asApiServer, agent: kept })).status, 200)
        assert.equal((await ask(port, '/', asApiServer)).status, 200)
        assert.equal((await ask(port, '/livez', { localAddress: KUBELET })).status, 200)
      }
      assert.ok(lines.length < 10, `${lines.length} lines in the log`)
    })
  }
}
