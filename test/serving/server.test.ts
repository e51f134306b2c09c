import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { Agent } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect, TLSSocket } from 'node:tls'
import { createLogger } from '#serving/log.ts'
import { HttpsServer, type HttpsServerOptions } from '#serving/server.ts'
import { createAuthority } from '../support/certificates.ts'
import { ask } from '../support/https.ts'

const authority = await createAuthority('test')
const pair = await authority.issue({ commonName: 'server', dns: ['localhost'], ips: ['127.0.0.1'] })
const log = createLogger('silent')

const sayHello: RequestListener = (_request, response) => response.end('hello')

async function serve(
  t: TestContext,
  options: Partial<HttpsServerOptions> & { clientCa?: string } = {},
) {
  const { clientCa, limits, ...rest } = options
  const server = new HttpsServer({
    handler: sayHello,
    credentials: { ...pair, clientCa },
    log,
    unlimitedPaths: ['/livez'],
    limits: { checkMs: 10, ...limits },
    ...rest,
  })
  const { port } = await server.listen({ port: 0, address: '127.0.0.1' })
  t.after(() => server.drain(0))
  return { server, port }
}

/** A raw TLS connection: what it received once it ended. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  socket.write(text)
  await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

function statusLine(answer: string): string {
  return answer.split('\r\n')[0] ?? ''
}

test('HttpsServer speaks TLS 1.2 and 1.3, and nothing older', async (t) => {
  const { port } = await serve(t)
  const handshake = async (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string | null> => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
    })
    await once(socket, 'secureConnect')
    const protocol = socket.getProtocol()
    socket.destroy()
    return protocol
  }
  assert.equal(await handshake('TLSv1.3'), 'TLSv1.3')
  assert.equal(await handshake('TLSv1.2'), 'TLSv1.2')
  await assert.rejects(handshake('TLSv1.1'))
})

test('HttpsServer offers HTTP/1.1 to a client that would rather have HTTP/2', async (t) => {
  const { port } = await serve(t)
  const socket = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
  })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  assert.equal(socket.alpnProtocol, 'http/1.1')
})

test('HttpsServer resumes no session, which would carry an old verification', async (t) => {
  const { port } = await serve(t, { clientCa: authority.cert })
  const open = async (session?: Buffer): Promise<[TLSSocket, Buffer | undefined]> => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.2',
      ...(session === undefined ? {} : { session }),
    })
    t.after(() => socket.destroy())
    await once(socket, 'secureConnect')
    return [socket, socket.getSession()]
  }
  const [, session] = await open()
  const [second] = await open(session)
  assert.equal(second.isSessionReused(), false)
})

test('HttpsServer refuses an upgrade', async (t) => {
  const { port } = await serve(t)
  const answer = await raw(
    port,
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  assert.equal(statusLine(answer), 'HTTP/1.1 400 BadRequest')
  assert.match(answer, /"kind":"Status"/)
})

test('HttpsServer refuses CONNECT', async (t) => {
  const { port } = await serve(t)
  const answer = await raw(port, 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.equal(statusLine(answer), 'HTTP/1.1 400 BadRequest')
})

test('HttpsServer answers 431 to headers that are too large', async (t) => {
  const { port } = await serve(t)
  const answer = await raw(
    port,
    `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`,
  )
  assert.equal(statusLine(answer), 'HTTP/1.1 431 BadRequest')
})

test('HttpsServer answers 408 to headers that do not end', async (t) => {
  const { port } = await serve(t, { limits: { headersMs: 20, requestMs: 20 } })
  const answer = await raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n')
  assert.equal(statusLine(answer), 'HTTP/1.1 408 Timeout')
})

test('HttpsServer answers 400 to what is not HTTP', async (t) => {
  const { port } = await serve(t)
  assert.equal(
    statusLine(await raw(port, '\x12\x00\xee\xff nonsense\r\n\r\n')),
    'HTTP/1.1 400 BadRequest',
  )
  assert.equal((await ask(port, '/')).text, 'hello')
})

test('HttpsServer does not keep a connection that sends a body', async (t) => {
  const { port } = await serve(t)
  const answer = await ask(port, '/', { headers: { 'content-length': '4' }, body: 'body' })
  assert.equal(answer.headers.connection, 'close')
})

/** Answers with the body. */
const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => response.end(Buffer.concat(chunks)))
}

test('HttpsServer lets a handler read bodies, and keeps the connection', async (t) => {
  const { port } = await serve(t, { handler: echo, readsBodies: true })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  for (const body of ['first', 'second']) {
    const { text, headers } = await ask(port, '/', { method: 'POST', body, agent })
    assert.deepEqual([text, headers.connection], [body, 'keep-alive'])
  }
})

test('HttpsServer answers 408 to a body that does not end', async (t) => {
  const limits = { headersMs: 20, requestMs: 20 }
  const { port } = await serve(t, { handler: echo, readsBodies: true, limits })
  const answer = await raw(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf')
  assert.equal(statusLine(answer), 'HTTP/1.1 408 Timeout')
})

/** Answers with what is known of the client. */
const tellClient: RequestListener = ({ socket }, response) => {
  assert.ok(socket instanceof TLSSocket)
  const { CN } = socket.getPeerCertificate().subject ?? {}
  response.end(`${CN} ${socket.authorized}`)
}

const client = await authority.issue({ commonName: 'proxy', extendedKeyUsage: ['clientAuth'] })

test('HttpsServer asks for client certificates only if there is a CA for them, or one is to come', async (t) => {
  const known = async (options: Parameters<typeof serve>[1]) => {
    const { port } = await serve(t, { handler: tellClient, ...options })
    return (await ask(port, '/', { client })).text
  }
  assert.equal(await known({}), 'undefined false')
  assert.equal(await known({ expectsClientCa: true }), 'proxy false')
  assert.equal(await known({ clientCa: authority.cert }), 'proxy true')
})

test('HttpsServer verifies clients once their CA has come, and does not before', async (t) => {
  const { server, port } = await serve(t, { handler: tellClient, expectsClientCa: true })
  assert.equal((await ask(port, '/', { client })).text, 'proxy false')
  server.update({ ...pair, clientCa: authority.cert })
  assert.equal((await ask(port, '/', { client })).text, 'proxy true')
  server.update({ ...pair, clientCa: undefined })
  assert.equal((await ask(port, '/', { client })).text, 'proxy false')
})

test('HttpsServer answers who has no certificate, though it asks for one', async (t) => {
  const { port } = await serve(t, { handler: tellClient, clientCa: authority.cert })
  assert.equal((await ask(port, '/')).text, 'undefined false')
})

test('HttpsServer answers 429 beyond its limit, without Retry-After, but answers health', async (t) => {
  const held: (() => void)[] = []
  const bothHeld = Promise.withResolvers<void>()
  const handler: RequestListener = (request, response) => {
    if (request.url === '/livez') response.end('ok')
    else if (held.push(() => response.end('late')) === 2) bothHeld.resolve()
  }
  const { port } = await serve(t, { handler, limits: { concurrentRequests: 2 } })
  const slow = [ask(port, '/slow'), ask(port, '/slow')]
  await bothHeld.promise
  const refused = await ask(port, '/')
  assert.equal(refused.status, 429)
  assert.equal(refused.headers['retry-after'], undefined)
  assert.equal(JSON.parse(refused.text).reason, 'TooManyRequests')
  assert.equal((await ask(port, '/livez')).status, 200)
  for (const release of held) release()
  assert.deepEqual(
    (await Promise.all(slow)).map(({ text }) => text),
    ['late', 'late'],
  )
})

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const UPGRADE = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

/** For tests whose defect is to wait for ever. */
const WITHIN = { timeout: 20_000 }

/** More than the buffers of two systems hold. */
const LARGE = Buffer.alloc(64 * 1024 * 1024)

/** Answers `/large` with more than a client takes unread, others with their port; tells when the former's connection is closed. */
function answerLarge() {
  const closed = Promise.withResolvers<void>()
  const handler: RequestListener = ({ url, socket }, response) => {
    if (url === '/large') socket.once('close', () => closed.resolve())
    response.end(url === '/large' ? LARGE : `from ${socket.remotePort}`)
  }
  return { handler, closed: closed.promise }
}

const GET_LARGE = 'GET /large HTTP/1.1\r\nHost: x\r\n\r\n'

/** Sends over TLS, and reads nothing. */
async function sendUnread(t: TestContext, port: number, text: string): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  socket.write(text)
  return socket
}

const STALL = { stallMs: 50, concurrentRequests: 1 }

test(
  'HttpsServer closes a connection whose answer nobody reads, and has its request free',
  WITHIN,
  async (t) => {
    const { handler, closed } = answerLarge()
    const { port } = await serve(t, { handler, limits: STALL })
    await sendUnread(t, port, GET_LARGE)
    assert.equal((await ask(port, '/')).status, 429)
    await closed
    assert.equal((await ask(port, '/')).status, 200)
  },
)

test(
  'HttpsServer closes a connection whose client stops in the middle of an answer',
  WITHIN,
  async (t) => {
    const { handler, closed } = answerLarge()
    const { port } = await serve(t, { handler, limits: STALL })
    const socket = await sendUnread(t, port, GET_LARGE)
    let length = 0
    socket.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > LARGE.length / 4) socket.pause()
    })
    await closed
    assert.equal((await ask(port, '/')).status, 200)
  },
)

test(
  'HttpsServer closes a connection that it refuses, though nobody reads what it said before',
  WITHIN,
  async (t) => {
    const { handler, closed } = answerLarge()
    const { port } = await serve(t, { handler, limits: STALL })
    await sendUnread(t, port, GET_LARGE + UPGRADE)
    await closed
  },
)

test('HttpsServer closes a connection whose request has no answer', WITHIN, async (t) => {
  const { port } = await serve(t, { handler: () => {}, limits: STALL })
  await assert.rejects(ask(port, '/'), { code: 'ECONNRESET' })
})

test(
  'HttpsServer keeps a connection between requests for longer than one may stall',
  WITHIN,
  async (t) => {
    const { handler, closed } = answerLarge()
    const { port } = await serve(t, { handler, limits: { stallMs: 50 } })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.after(() => agent.destroy())
    const { text } = await ask(port, '/', { agent })
    await sendUnread(t, port, GET_LARGE)
    await closed
    assert.equal((await ask(port, '/', { agent })).text, text)
  },
)

test('HttpsServer has the requests of a connection free that ends before their answers', async (t) => {
  const handler: RequestListener = (_request, response) => {
    setImmediate(() => response.end('late'))
  }
  const { port } = await serve(t, { handler, limits: { concurrentRequests: 2 } })
  await raw(port, GET.repeat(3) + UPGRADE)
  assert.equal((await ask(port, '/')).status, 200)
})

test('HttpsServer says that a port is taken, and by what setting to choose another', async (t) => {
  const { port } = await serve(t)
  const other = new HttpsServer({
    handler: sayHello,
    credentials: { ...pair, clientCa: undefined },
    log,
  })
  await assert.rejects(other.listen({ port, address: '127.0.0.1' }), {
    message: `Cannot listen on port ${port}: another program uses it; choose another with LISTEN_PORT`,
  })
})

test('HttpsServer drains: a request under way is answered, and the connection closed', async (t) => {
  const begun = Promise.withResolvers<() => void>()
  const handler: RequestListener = (_request, response) => begun.resolve(() => response.end('done'))
  const { server, port } = await serve(t, { handler })
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const answer = ask(port, '/', { agent })
  const finish = await begun.promise
  const drained = server.drain()
  finish()
  const { text, headers } = await answer
  assert.equal(text, 'done')
  assert.equal(headers.connection, 'close')
  await drained
  await assert.rejects(ask(port, '/'), { code: 'ECONNREFUSED' })
})

test('HttpsServer does not wait for a request beyond its deadline', async (t) => {
  const begun = Promise.withResolvers<void>()
  const { server, port } = await serve(t, { handler: () => begun.resolve() })
  const answer = assert.rejects(ask(port, '/'))
  await begun.promise
  await server.drain(1)
  await answer
})

test('HttpsServer does not wait for a client that is in its handshake beyond its deadline', async (t) => {
  const { server, port } = await serve(t)
  const socket = connectTcp(port, '127.0.0.1')
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  await server.drain(1)
})

test('HttpsServer serves a new certificate from the next connection on', async (t) => {
  const { server, port } = await serve(t)
  const renewed = await authority.issue({ commonName: 'renewed', dns: ['localhost'] })
  server.update({ ...renewed, clientCa: undefined })
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  assert.equal(socket.getPeerCertificate().subject.CN, 'renewed')
})

test('HttpsServer lets a request end that is under way when the client CA changes, then closes', async (t) => {
  const begun = Promise.withResolvers<() => void>()
  const handler: RequestListener = (_request, response) => {
    response.write('first ')
    begun.resolve(() => response.end('last'))
  }
  const { server, port } = await serve(t, { handler, clientCa: authority.cert })
  const answer = raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const finish = await begun.promise
  server.update({ ...pair, clientCa: (await createAuthority('other')).cert })
  finish()
  const text = await answer
  assert.match(text, /first /)
  assert.match(text, /last/)
})
