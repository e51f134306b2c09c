// Hostile clients of all three ports of a whole webhook at once, with its own limits. While an attack lasts, reviews, certificates
// and probes are answered every time.
import assert from 'node:assert/strict'
import { Agent } from 'node:https'
import { type TestContext, test } from 'node:test'
import { ATTACKS } from '../serving/https/attacks.ts'
import { ask } from '../support/https.ts'
import { TOKEN } from '../support/lead-broker.ts'
import { runs } from '../support/runs.ts'
import { POD, post, review, start } from './running.ts'

/** Rounds of requests during an attack. Its connections come back meanwhile. */
const ROUNDS = 1

/** More connections than any of the servers takes, all together and of one address. */
const ADDRESSES = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']
const CONNECTIONS = { reviews: 60, certificates: 20, health: 20 }

/**
 * By default one attack of each thing that a client can hold on to: a handshake, a request, the time of the process. Answers are
 * held in test/serving/https/hostile.test.ts, where they are large.
 */
const KINDS: readonly string[] = [
  'handshakes that stop after the ClientHello',
  'clients that send their headers byte by byte',
  'clients that send a thousand requests at once',
]
const all = Object.entries(ATTACKS)
const chosen = runs(all.length) < all.length ? all.filter(([name]) => KINDS.includes(name)) : all
assert.ok(chosen.length >= KINDS.length)

const API_SERVER = '127.0.0.10'
const KUBELET = '127.0.0.11'
const SIDECAR = '127.0.0.12'

for (const [name, attack] of chosen) {
  test(`the webhook answers API servers, sidecars and kubelets against ${name}`, async (t) => {
    const { webhook, lines } = await start(t)
    const kept = keptAgent(t)
    const answers = async () => {
      const headers = { authorization: `Bearer ${TOKEN}` }
      const asked = await Promise.all([
        review(webhook, POD, { localAddress: API_SERVER, agent: kept }),
        review(webhook, POD, { localAddress: API_SERVER }),
        post(webhook, '/certificates', {}, { localAddress: SIDECAR, headers }),
        ask(webhook.healthPort, '/livez', { plain: true, localAddress: KUBELET }),
        ask(webhook.healthPort, '/readyz', { plain: true, localAddress: KUBELET }),
        ask(webhook.port, '/readyz', { localAddress: KUBELET }),
      ])
      return asked.map(({ status }) => status)
    }
    const good = [200, 200, 200, 200, 200, 200]
    assert.deepEqual(await answers(), good)
    const target = { addresses: ADDRESSES, path: '/livez', largePath: '/metrics' }
    const stops = await Promise.all([
      attack({ ...target, port: webhook.port, connections: CONNECTIONS.reviews }),
      attack({
        ...target,
        port: webhook.certificatesPort,
        connections: CONNECTIONS.certificates,
      }),
      attack({
        ...target,
        port: webhook.healthPort,
        connections: CONNECTIONS.health,
        plain: true,
      }),
    ])
    t.after(() => {
      for (const stop of stops) stop()
    })
    for (let round = 0; round < ROUNDS; round += 1) assert.deepEqual(await answers(), good)
    const warnings = lines.filter((line) => /"level":"(warn|error|fatal)"/.test(line))
    // One at the start, about clients without certificates, and one of each server at most, about closed connections.
    assert.ok(warnings.length <= 4, warnings.join('\n'))
  })
}

function keptAgent(t: TestContext): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  return agent
}
