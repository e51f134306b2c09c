// What comes of adapters that are down, slow, or something else than an adapter.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { createAuthority } from '../../../support/certificates.ts'
import { memoryLog } from '../../../support/memory-log.ts'
import {
  authority,
  CUSTOM,
  eventually,
  portOf,
  sayOk,
  startAdapter,
  startGateway,
} from './adapters.ts'

const WITHIN = { timeout: 60_000 }
const PATH = `/apis/${CUSTOM}/v1beta1/namespaces/a/metrics/m`
const DOWN =
  'the server is currently unable to handle the request: Service monitoring/adapter has these metrics: '

/** The message of a 503. */
async function refusalOf(gateway: Awaited<ReturnType<typeof startGateway>>): Promise<string> {
  const { status, headers, text } = await gateway.get(PATH)
  const { reason, code, message } = JSON.parse(text)
  assert.deepEqual([status, code, reason], [503, 503, 'ServiceUnavailable'])
  assert.equal(headers['retry-after'], undefined)
  assert.ok(message.startsWith(DOWN), message)
  return message.slice(DOWN.length)
}

async function openResponse(port: number): Promise<IncomingMessage> {
  const request = get({ port, path: PATH, agent: false })
  const [response] = await once(request, 'response')
  return response
}

test(
  'an adapter that is down is 503 at once, and answers again when it is back',
  WITHIN,
  async (t) => {
    const server = await startAdapter(t)
    const gateway = await startGateway(t, server)
    await server.stop()
    const expected =
      /^nothing listens there: see whether its pods run \(ECONNREFUSED\)(; so it is since .*)?$/
    for (let index = 0; index < 20; index += 1) assert.match(await refusalOf(gateway), expected)
    assert.match(gateway.adapter.problem ?? '', /ECONNREFUSED/)
    const again = await startAdapter(t, { port: server.port })
    await eventually(async () => assert.equal((await gateway.get(PATH)).status, 200))
    assert.ok(again.received.length > 0)
  },
)

test(
  'an adapter that hangs is asked by one request at a time after some failures',
  WITHIN,
  async (t) => {
    const server = await startAdapter(t, { handler: () => {} })
    const gateway = await startGateway(t, { ...server, timeoutMs: 200 })
    for (let index = 0; index < 3; index += 1)
      assert.equal(await refusalOf(gateway), 'no whole answer in 0.2 s')
    const before = server.received.length
    for (let index = 0; index < 10; index += 1) await gateway.get(PATH)
    assert.ok(server.received.length - before < 10)
  },
)

test('more requests than an adapter may keep waiting are refused', WITHIN, async (t) => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const server = await startAdapter(t, {
    handler: (request, response) => void released.then(() => sayOk(request, response)),
  })
  const gateway = await startGateway(t, { ...server, timeoutMs: 60_000 })
  const waiting = Array.from({ length: 64 }, () => gateway.get(PATH))
  await eventually(() => assert.equal(server.received.length, 64))
  assert.equal(await refusalOf(gateway), '64 requests wait for its answers already')
  release()
  const codes = new Set((await Promise.all(waiting)).map(({ status }) => status))
  assert.deepEqual([...codes], [200])
  assert.equal(server.received.length, 64)
})

for (const [what, dns, trusted, reason] of [
  [
    'of another authority',
    'adapter.monitoring.svc',
    createAuthority('another'),
    /is not signed by the CA/,
  ],
  ['for another name', 'other.monitoring.svc', authority, /is for another name/],
] as const) {
  test(`an adapter with a certificate ${what} gets no token`, WITHIN, async (t) => {
    const keys = await authority.issue({ commonName: 'adapter', dns: [dns] })
    const server = await startAdapter(t, { keys })
    const gateway = await startGateway(t, { port: server.port, trusted: await trusted })
    assert.match(await refusalOf(gateway), reason)
    assert.deepEqual([server.received, server.discovered], [[], []])
  })
}

test('another CA is used when its file changes', WITHIN, async (t) => {
  const server = await startAdapter(t)
  const other = await createAuthority('another')
  const gateway = await startGateway(t, { port: server.port, trusted: other })
  assert.match(await refusalOf(gateway), /is not signed by the CA/)
  await writeFile(gateway.caFile, authority.cert)
  await eventually(async () => assert.equal((await gateway.get(PATH)).status, 200))
  await writeFile(gateway.caFile, other.cert)
  await eventually(async () => assert.equal((await gateway.get(PATH)).status, 503))
})

test('without a CA that can be read nothing is sent', WITHIN, async (t) => {
  const server = await startAdapter(t)
  const target = {
    namespace: 'monitoring',
    service: 'adapter',
    port: server.port,
    caFile: '/no/ca',
  }
  const gateway = await startGateway(t, { port: server.port, target })
  assert.match(await refusalOf(gateway), /no such file/)
  assert.deepEqual(server.received, [])
})

test('without a token nothing is sent', WITHIN, async (t) => {
  const server = await startAdapter(t)
  const gateway = await startGateway(t, { port: server.port, tokenFile: '/no/token' })
  assert.match(await refusalOf(gateway), /^cannot read the token of this pod: ENOENT/)
  assert.deepEqual([server.received, server.discovered], [[], []])
})

for (const status of [301, 302, 304, 307, 308]) {
  test(`${status} is neither followed nor passed on`, WITHIN, async (t) => {
    const server = await startAdapter(t, {
      handler: (_request, response) => response.writeHead(status, { Location: '/elsewhere' }).end(),
    })
    const gateway = await startGateway(t, server)
    assert.equal(
      await refusalOf(gateway),
      `it answers with a redirect (${status}), which is not followed`,
    )
    assert.equal(server.received.length, 1)
  })
}

for (const [type, shown] of [
  ['text/html; charset=utf-8', '"text/html"'],
  ['image/svg+xml', '"image/svg+xml"'],
  ['application/javascript', '"application/javascript"'],
  ['', 'no content type'],
] as const) {
  test(`an answer with ${shown} is not passed on`, WITHIN, async (t) => {
    const server = await startAdapter(t, {
      handler: (_request, response) => {
        response.writeHead(502, type === '' ? {} : { 'Content-Type': type })
        response.end('<script>alert(1)</script>')
      },
    })
    const gateway = await startGateway(t, server)
    assert.equal(await refusalOf(gateway), `it answers 502 with ${shown}`)
  })
}

test('an answer that is cut off is cut off for the client', WITHIN, async (t) => {
  const server = await startAdapter(t, {
    handler: (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.write('{"kind":', () => response.destroy())
    },
  })
  const gateway = await startGateway(t, server)
  const response = await openResponse(gateway.port)
  await assert.rejects(response.toArray(), { code: 'ECONNRESET' })
})

test('an answer that does not end in time is cut off', WITHIN, async (t) => {
  const server = await startAdapter(t, {
    handler: (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.write('{"kind":')
    },
  })
  const gateway = await startGateway(t, { ...server, timeoutMs: 300 })
  const response = await openResponse(gateway.port)
  await assert.rejects(response.toArray(), { code: 'ECONNRESET' })
})

test(
  'an answer of 64 MiB waits for a client that does not read, and is whole',
  WITHIN,
  async (t) => {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    let written = 0
    const server = await startAdapter(t, {
      handler: async (_request, response) => {
        response.writeHead(200, { 'Content-Type': 'application/json' })
        for (; written < 64; written += 1) {
          if (!response.write(chunk)) await once(response, 'drain')
        }
        response.end()
      },
    })
    const gateway = await startGateway(t, server)
    const response = await openResponse(gateway.port)
    // Until the buffers of both connections are full.
    let seen = -1
    await eventually(() => {
      const before = seen
      seen = written
      assert.equal(before, written)
    })
    assert.ok(written < 48, `${written} MiB are in buffers`)
    let length = 0
    for await (const part of response) length += part.length
    assert.equal(length, 64 * chunk.length)
  },
)

test('a client that leaves ends the request to the adapter', WITHIN, async (t) => {
  const closed = Promise.withResolvers<void>()
  const server = await startAdapter(t, {
    handler: (request) => request.socket.once('close', () => closed.resolve()),
  })
  const gateway = await startGateway(t, server)
  const request = get({ port: gateway.port, path: PATH, agent: false })
  request.on('error', () => {})
  await eventually(() => assert.equal(server.received.length, 1))
  request.destroy()
  await closed.promise
  assert.equal(gateway.adapter.problem, undefined)
})

test(
  'a connection that was closed meanwhile is replaced, and nobody notices',
  WITHIN,
  async (t) => {
    const server = await startAdapter(t)
    const gateway = await startGateway(t, server)
    await Promise.all([1, 2, 3].map(() => gateway.get(PATH)))
    await server.stop()
    await startAdapter(t, { port: server.port })
    assert.equal((await gateway.get(PATH)).status, 200)
  },
)

test('something without TLS gets nothing', WITHIN, async (t) => {
  let received = ''
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      socket.end('HTTP/1.1 200 OK\r\n\r\n')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const gateway = await startGateway(t, { port: portOf(server) })
  assert.match(await refusalOf(gateway), /^the TLS handshake fails/)
  assert.ok(!received.includes('token'))
})

test(
  'a refusal of the gateway is passed back, and logged once with what to apply',
  WITHIN,
  async (t) => {
    const status = JSON.stringify({
      kind: 'Status',
      apiVersion: 'v1',
      message: 'forbidden',
      code: 403,
    })
    const server = await startAdapter(t, {
      handler: (_request, response) =>
        response.writeHead(403, { 'Content-Type': 'application/json' }).end(status),
    })
    const { log, lines } = memoryLog()
    const gateway = await startGateway(t, { ...server, log })
    for (let index = 0; index < 3; index += 1) {
      const answer = await gateway.get(PATH)
      assert.deepEqual([answer.status, answer.text], [403, status])
    }
    const logged = lines.filter(({ msg }) => String(msg).includes('components/upstream'))
    assert.equal(logged.length, 1)
  },
)
