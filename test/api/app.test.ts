import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Verdict } from '#serving/https/client-verifier.ts'
import { createLogger } from '#serving/log.ts'
import { serveApp } from '../support/app.ts'

const METRIC = '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/metrics/node_up_count'

const OPEN = ['/livez', '/readyz', '/healthz', '/metrics']

const CLOSED = [
  METRIC,
  '/apis',
  '/apis/custom.metrics.k8s.io',
  '/apis/custom.metrics.k8s.io/v1beta2',
  '/openapi/v2',
  '/openapi/v3',
  '/version',
  '/nowhere',
  '/metrics/',
  '//metrics',
]

const REFUSED: Verdict = { kind: 'refused', reason: 'it is a stranger' }
const VERIFIED: Verdict = { kind: 'verified', name: 'front-proxy' }
const stranger = { clients: { verify: () => REFUSED } }
const proxy = { clients: { verify: () => VERIFIED } }

for (const path of OPEN) {
  test(`${path} is open to every client`, async (t) => {
    const app = await serveApp(t, stranger)
    assert.equal((await app.get(path)).code, 200)
  })
}

for (const path of CLOSED) {
  test(`${path} is 401 for an unverified client`, async (t) => {
    const app = await serveApp(t, stranger)
    const { code, text } = await app.get(path, { 'X-Remote-User': 'admin' })
    assert.equal(code, 401)
    assert.equal(JSON.parse(text).reason, 'Unauthorized')
  })
}

test('the front proxy gets metrics', async (t) => {
  const app = await serveApp(t, proxy)
  assert.equal((await app.get(METRIC)).code, 200)
})

const AWAITED = 'no certificate yet: the authority does not answer'

for (const path of ['/livez', '/readyz', '/healthz']) {
  test(`${path} is served while all other paths are closed`, async (t) => {
    const app = await serveApp(t, { ...stranger, closed: () => AWAITED })
    assert.equal((await app.get(path)).code, 200)
  })
}

for (const path of [...CLOSED, '/metrics', '/livez/', '/readyz/more']) {
  test(`${path} is 503 with the reason while nothing but health is served`, async (t) => {
    const app = await serveApp(t, { ...proxy, closed: () => AWAITED })
    const { code, headers, text } = await app.get(path)
    assert.deepEqual(
      [code, headers['retry-after'], JSON.parse(text).reason, JSON.parse(text).message],
      [503, undefined, 'ServiceUnavailable', `Cannot serve: ${AWAITED}`],
    )
  })
}

test('closed paths are open to verified clients as soon as the reason has ended', async (t) => {
  let reason: string | undefined = AWAITED
  const closed = () => reason
  const [forProxy, forStranger] = [
    await serveApp(t, { ...proxy, closed }),
    await serveApp(t, { ...stranger, closed }),
  ]
  const codes = async () => [
    (await forProxy.get(METRIC)).code,
    (await forStranger.get(METRIC)).code,
  ]
  assert.deepEqual(await codes(), [503, 503])
  reason = undefined
  assert.deepEqual(await codes(), [200, 401])
  reason = AWAITED
  assert.deepEqual(await codes(), [503, 503])
})

test('a defect is 500 with a constant text, and logged', async (t) => {
  const lines: string[] = []
  const log = createLogger('info', { write: (line: string) => void lines.push(line) })
  const source = {
    reading: () => {
      throw new TypeError('secret detail')
    },
  }
  const app = await serveApp(t, { log, source })
  const { code, text } = await app.get(METRIC)
  assert.equal(code, 500)
  assert.equal(JSON.parse(text).reason, 'InternalError')
  assert.ok(!text.includes('secret detail'))
  assert.equal(lines.length, 1)
  assert.match(lines.join(), /secret detail/)
})

test('requests are logged at debug only', async (t) => {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const quiet = await serveApp(t, { log: createLogger('info', destination) })
  await quiet.get(METRIC)
  assert.equal(lines.length, 0)
  const verbose = await serveApp(t, { log: createLogger('debug', destination) })
  await verbose.get(METRIC)
  assert.equal(lines.length, 1)
  assert.match(lines.join(), /"code":200/)
})
