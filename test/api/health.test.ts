import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STALE, serveApp } from '../support/app.ts'

const TEXT = 'text/plain; charset=utf-8'

const draining = { readiness: () => ({ ready: false, message: 'shutting down' }) }

for (const path of ['/readyz', '/healthz']) {
  test(`${path} says when Flux was read`, async (t) => {
    const app = await serveApp(t)
    const { code, headers, text } = await app.get(path)
    assert.deepEqual([code, headers['content-type']], [200, TEXT])
    assert.equal(text, 'ok: serving\nFlux: fresh, read at 2026-11-24T01:02:03Z\n')
  })

  test(`${path} stays 200 while the reading is stale, and gives the reason`, async (t) => {
    const app = await serveApp(t)
    app.reading = STALE
    const { code, text } = await app.get(path)
    assert.equal(code, 200)
    assert.equal(
      text,
      'ok: serving\n' +
        'Flux: stale, last read at 2026-11-24T01:02:03Z: the broker closed the connection\n',
    )
  })

  test(`${path} stays 200 before the first reading`, async (t) => {
    const app = await serveApp(t)
    app.reading = { kind: 'stale', reason: 'no broker yet', since: undefined }
    const { code, text } = await app.get(path)
    assert.deepEqual([code, text], [200, 'ok: serving\nFlux: stale, never read: no broker yet\n'])
  })

  test(`${path} is 503 during the shutdown`, async (t) => {
    const app = await serveApp(t, draining)
    const { code, text } = await app.get(path)
    assert.equal(code, 503)
    assert.match(text, /^not ready: shutting down\n/)
  })
}

test('/livez is 503 with the reason while the collector is dead, and no other path is', async (t) => {
  const dead = { reason: undefined as string | undefined }
  const app = await serveApp(t, { stalled: () => dead.reason })
  assert.equal((await app.get('/livez')).code, 200)
  dead.reason = 'no attempt to read Flux has ended for 400 s'
  const { code, headers, text } = await app.get('/livez')
  assert.deepEqual([code, headers['content-type']], [503, TEXT])
  assert.equal(text, 'not alive: no attempt to read Flux has ended for 400 s\n')
  assert.equal((await app.get('/readyz')).code, 200)
})

test('/livez is 200 whatever the state of Flux', async (t) => {
  const app = await serveApp(t, draining)
  app.reading = STALE
  const { code, headers, text } = await app.get('/livez')
  assert.deepEqual([code, headers['content-type'], text], [200, TEXT, 'ok\n'])
})

test('health paths accept a query', async (t) => {
  const app = await serveApp(t)
  assert.equal((await app.get('/readyz?verbose')).code, 200)
})

test('/version has the version in the form of Kubernetes', async (t) => {
  const app = await serveApp(t)
  const { code, text } = await app.get('/version')
  assert.equal(code, 200)
  assert.deepEqual(JSON.parse(text), { major: '1', minor: '2', gitVersion: 'v1.2.3' })
})
