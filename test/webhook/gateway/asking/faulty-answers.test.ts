// Sidecars whose answers break off, drag on or are not what they should be.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { type TestContext, test } from 'node:test'
import { until } from '../../../support/until.ts'
import { answering, bodyFor, certify, errorOf, NAME, podOf, serve, setup } from './fleet.ts'

const KEYS = await certify(NAME)

/** The error for a question to a sidecar with this handler, and what was logged. */
async function fault(
  t: TestContext,
  handler: RequestListener,
  { waitMs = 10_000, path = '' } = {},
) {
  const sidecar = await serve(t, KEYS, handler)
  const { ask, lines, outcomes, asking } = setup(t, { pods: [podOf(NAME, sidecar.port)] })
  const [code, message] = await errorOf(ask(NAME, path === '' ? { waitMs } : { waitMs, path }))
  assert.equal(code, 503)
  const words = message.replaceAll(String(sidecar.port), 'PORT')
  return { message: words, lines, outcome: outcomes[0]?.[0], asking, sidecar }
}

test('an answer that comes byte by byte', async (t) => {
  const { message, asking } = await fault(
    t,
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '10000' })
      const timer = setInterval(() => response.write(' '), 50)
      response.once('close', () => clearInterval(timer))
    },
    { waitMs: 600 },
  )
  assert.match(message, /: its pod flux-sample-0-x did not answer within 0\.\d s at/)
  // The request is torn down after its asker was told.
  await until(() => asking.state.running === 0, 'no request is under way')
})

test('an answer in crumbs, and one after answers that are none: who gives them is not asked for a while', async (t) => {
  const crumbs: RequestListener = ({ socket }) => {
    socket.write(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    )
    socket.write(`${'1\r\n \r\n'.repeat(1_000)}2\r\n{}\r\n0\r\n\r\n`)
  }
  const early: RequestListener = ({ socket }) => {
    socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000))
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok')
  }
  const strange = /does not answer as a sidecar at 127\.0\.0\.1:PORT: it sends /
  for (const [handler, what] of [
    [crumbs, /: it sends \d+ bytes in \d+ pieces$/],
    [early, /: it sends 103 before its answer$/],
  ] as const) {
    const { message, outcome } = await fault(t, handler)
    assert.match(message, strange)
    assert.match(message, what)
    assert.equal(outcome, 'unreachable')
  }
  // Pieces as a sidecar sends them are read.
  const sidecar = await serve(t, KEYS, (_request, response) => {
    response.setHeader('content-type', 'text/plain')
    for (let piece = 0; piece < 200; piece += 1) response.write('x'.repeat(1_000))
    response.end()
  })
  const { ask } = setup(t, { pods: [podOf(NAME, sidecar.port)] })
  assert.equal((await ask(NAME, { path: '/explain' })).body.length, 200_000)
})

test('a sidecar that speaks no TLS 1.3 could ask for handshakes without an end', async (t) => {
  const server = createServer({ ...KEYS, maxVersion: 'TLSv1.2' }, answering(NAME))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const { ask } = setup(t, { pods: [podOf(NAME, address.port)] })
  const [code, message] = await errorOf(ask())
  assert.equal(code, 503)
  assert.match(message, /the connection failed with ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION$/)
})

test('headers without an end', async (t) => {
  const { message } = await fault(t, ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\n')
    const timer = setInterval(() => socket.write(`X-${'y'.repeat(4_000)}: z\r\n`), 1)
    socket.once('close', () => clearInterval(timer))
  })
  assert.match(message, /answers no valid HTTP at 127\.0\.0\.1:PORT \(HPE_HEADER_OVERFLOW\)$/)
})

test('an answer that is too long', async (t) => {
  const long: RequestListener = (_request, response) => {
    response.setHeader('content-type', 'text/plain')
    response.end('x'.repeat(2 * 1024 * 1024))
  }
  const { message, outcome } = await fault(t, long)
  assert.match(message, /answers more than 64 KiB at 127\.0\.0\.1:PORT$/)
  assert.equal(outcome, 'invalid')
  assert.match((await fault(t, long, { path: '/explain' })).message, /more than 512 KiB/)
})

test('HTML, and a redirect', async (t) => {
  const html = await fault(t, (_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<script>')
  })
  assert.match(html.message, /its sidecar answered with "text\/html"$/)
  const redirect = await fault(t, (_request, response) => {
    response.writeHead(302, { location: 'https://example.com' }).end()
  })
  assert.match(redirect.message, /its sidecar answered 302, a redirect, which is not followed$/)
  assert.equal(redirect.sidecar.requests.length, 1)
})

test('a connection that is closed in the middle of an answer', async (t) => {
  const { message, sidecar, outcome } = await fault(t, ({ socket }, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
    response.write('{', () => socket.destroy())
  })
  assert.match(message, /does not answer at .*: the connection was closed before the end of/)
  assert.deepEqual([sidecar.requests.length, outcome], [1, 'unreachable'])
})

test('no HTTP', async (t) => {
  const { message } = await fault(t, ({ socket }) => socket.end('220 mail ready\r\n'))
  assert.match(message, /answers no valid HTTP at 127\.0\.0\.1:PORT \(HPE_INVALID_CONSTANT\)$/)
  const upgrade = await fault(t, ({ socket }) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')
  })
  assert.match(upgrade.message, /answers no HTTP\/1\.1 at/)
})

test('the metric of another MiniCluster is an error, and is logged as one', async (t) => {
  const other = { ...NAME, minicluster: 'other' }
  const { message, lines } = await fault(t, answering(other))
  const what = 'name "other" instead of "flux-sample"'
  assert.equal(
    message,
    `MiniCluster team-a/flux-sample: its sidecar answered something else than was asked: ${what}`,
  )
  assert.deepEqual(
    lines.map((line) => [line.level, line.msg, line.what]),
    [['error', 'a sidecar answered something else than was asked', what]],
  )
})

test('an error of the sidecar keeps its words, and stops nothing', async (t) => {
  const message = 'no snapshot since 10:00: the broker is gone'
  const status = { kind: 'Status', message, reason: 'ServiceUnavailable' }
  const sidecar = await serve(t, KEYS, (_request, response) => {
    response.writeHead(503, { 'content-type': 'application/json' })
    response.end(JSON.stringify(status))
  })
  const { ask, asking } = setup(t, { pods: [podOf(NAME, sidecar.port)] })
  for (let times = 0; times < 5; times += 1) {
    assert.deepEqual(await errorOf(ask()), [
      503,
      `MiniCluster team-a/flux-sample: its sidecar says: ${message}`,
    ])
  }
  assert.deepEqual([sidecar.connections.size, asking.state.openCircuits], [1, 0])
  sidecar.server.removeAllListeners('request')
  sidecar.server.on('request', answering(NAME))
  assert.equal((await ask()).body, bodyFor(NAME))
})
