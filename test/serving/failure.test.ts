import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import Koa from 'koa'
import { failures, logUnsent } from '#serving/failure.ts'
import { createLogger } from '#serving/log.ts'
import { metricNotFound, unavailable } from '#serving/status.ts'

async function serve(
  t: TestContext,
  middleware: Koa.Middleware,
  postPaths: readonly string[] = [],
) {
  const lines: string[] = []
  const stream = {
    write: (line: string) => {
      lines.push(line)
    },
  }
  const app = new Koa()
  const log = createLogger('info', stream)
  logUnsent(app, log)
  app.use(failures(log, postPaths))
  app.use(middleware)
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address !== null && typeof address !== 'string')
  return { url: `http://127.0.0.1:${address.port}/apis`, lines }
}

test('failures answers a StatusError as it is, and logs nothing', async (t) => {
  const { url, lines } = await serve(t, () => {
    throw unavailable('the broker is away')
  })
  const response = await fetch(url)
  assert.equal(response.status, 503)
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
  assert.equal(response.headers.get('retry-after'), null)
  assert.deepEqual(await response.json(), {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the broker is away',
    reason: 'ServiceUnavailable',
    code: 503,
  })
  assert.deepEqual(lines, [])
})

test('failures escapes what nobody sees: kubectl prints the message as it is', async (t) => {
  const { url } = await serve(t, () => {
    throw unavailable('queue "a\u202eb\u001b[2J" is not there')
  })
  const { message } = Object(await (await fetch(url)).json())
  assert.equal(message, 'queue "a\\u{202e}b\\u{1b}[2J" is not there')
})

test('failures hides a defect from the caller, and logs it in full', async (t) => {
  const { url, lines } = await serve(t, () => {
    throw new TypeError('secret detail')
  })
  const response = await fetch(url)
  assert.equal(response.status, 500)
  assert.equal((await response.json()).message, 'Internal error of flux-metrics')
  assert.match(lines.join(), /secret detail/)
})

test('failures answers 404 to an unknown path', async (t) => {
  const { url } = await serve(t, (_ctx, next) => next())
  const response = await fetch(url)
  assert.equal(response.status, 404)
  assert.equal((await response.json()).message, 'Nothing is served at "/apis"')
})

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) {
  test(`failures answers 405 to ${method}`, async (t) => {
    const { url } = await serve(t, (ctx) => {
      ctx.body = 'x'
    })
    const response = await fetch(url, { method })
    assert.equal(response.status, 405)
    assert.equal(response.headers.get('allow'), 'GET')
  })
}

test('failures accepts only POST on the paths that are given for POST', async (t) => {
  const { url } = await serve(
    t,
    (ctx) => {
      ctx.body = ctx.method
    },
    ['/apis'],
  )
  assert.equal(await (await fetch(url, { method: 'POST' })).text(), 'POST')
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const response = await fetch(url, { method })
    assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST'])
    assert.equal((await response.json()).message, `Cannot ${method}: only POST is served here`)
  }
})

test('failures compares whole paths, without the query', async (t) => {
  const answer: Koa.Middleware = (ctx) => {
    ctx.body = ctx.method
  }
  const { url } = await serve(t, answer, ['/apis'])
  const codes = await Promise.all(
    ['?timeout=3s', '/', '/more'].map(
      async (rest) => (await fetch(`${url}${rest}`, { method: 'POST' })).status,
    ),
  )
  assert.deepEqual(codes, [200, 405, 405])
})

test('metricNotFound uses the sentence of every custom metrics server', () => {
  assert.equal(
    metricNotFound('services', 'node_upcount', { name: 'x', hint: 'did you mean node_up_count?' })
      .message,
    'the server could not find the metric node_upcount for services x: did you mean node_up_count?',
  )
  assert.equal(
    metricNotFound('services', 'm').message,
    'the server could not find the metric m for services',
  )
})

test('a client that leaves before its answer writes nothing to the log', async (t) => {
  const begun = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  const { url, lines } = await serve(t, async ({ req }) => {
    begun.resolve()
    req.socket.once('close', () => left.resolve())
    await left.promise
  })
  const client = connect(Number(new URL(url).port), '127.0.0.1')
  client.write('GET /apis HTTP/1.1\r\nHost: x\r\n\r\n')
  await begun.promise
  client.resetAndDestroy()
  await left.promise
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(lines, [])
})

test('an error outside of the middlewares is logged', async (t) => {
  const { url, lines } = await serve(t, (ctx) => {
    ctx.body = { toJSON: () => assert.fail('broken') }
  })
  await fetch(url).catch(() => undefined)
  assert.match(lines.join(''), /"message":"broken".*cannot send an answer/)
})
