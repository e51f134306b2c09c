import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import { createServer as createTcpServer, type Server } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type AuthorityRequest, askAuthority } from '#identity/authority-client.ts'
import { createAuthority } from '../support/certificates.ts'
import { TOKEN } from '../support/lead-broker.ts'

const authority = await createAuthority('flux-metrics CA')
const frontProxy = await createAuthority('front-proxy-ca')
const serving = await authority.issue({ commonName: 'webhook', ips: ['127.0.0.1'] })
const leaf = await authority.issue({ commonName: 'sidecar', dns: ['lammps'] })

/** An answer of the webhook, with more fields than the client reads. */
const ANSWER = {
  certificate: leaf.cert,
  ca: authority.cert,
  requestHeader: {
    clientCa: frontProxy.cert,
    allowedNames: ['front-proxy-client'],
    usernameHeaders: ['X-Remote-User'],
  },
}

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}

/** Serves an authority, and a way to ask it. */
async function serve(t: TestContext, listener: RequestListener, options: ServerOptions = serving) {
  const server = createServer(options, listener)
  t.after(() => server.closeAllConnections())
  const url = `https://127.0.0.1:${await listen(t, server)}`
  return { url, ask: (changes: Partial<AuthorityRequest> = {}) => ask(url, changes) }
}

function ask(url: string, changes: Partial<AuthorityRequest> = {}) {
  const { signal } = new AbortController()
  return askAuthority({
    url,
    ca: authority.cert,
    token: TOKEN,
    csr: 'a request',
    signal,
    ...changes,
  })
}

function reply(answer: unknown, code = 200): RequestListener {
  return (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json' })
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
  }
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}

test('askAuthority posts token and request, and reads the answer', async (t) => {
  const asked: unknown[] = []
  const { ask } = await serve(t, async (request, response) => {
    const { method, url, headers } = request
    const { authorization, 'content-type': type, 'content-length': length } = headers
    asked.push({ method, url, authorization, type, length, body: await read(request) })
    response.end(JSON.stringify(ANSWER))
  })
  assert.deepEqual(await ask(), {
    certificate: leaf.cert,
    ca: authority.cert,
    clientCa: frontProxy.cert,
    allowedNames: ['front-proxy-client'],
  })
  assert.deepEqual(asked, [
    {
      method: 'POST',
      url: '/certificates',
      authorization: `Bearer ${TOKEN}`,
      type: 'application/json',
      length: '19',
      body: '{"csr":"a request"}',
    },
  ])
})

test('askAuthority asks only for the CAs if no certificate is needed', async (t) => {
  const { certificate: _none, ...trust } = ANSWER
  const { ask } = await serve(t, async (request, response) => {
    assert.equal(await read(request), '{}')
    response.end(JSON.stringify(trust))
  })
  assert.equal((await ask({ csr: undefined })).certificate, undefined)
})

test('askAuthority repeats the reason that the authority answers', async (t) => {
  const { ask } = await serve(
    t,
    reply({ kind: 'Status', message: 'Cannot issue an identity' }, 403),
  )
  await assert.rejects(ask(), { message: 'the authority answered 403: Cannot issue an identity' })
})

test('askAuthority repeats no more than a sentence of the answer', async (t) => {
  const { ask } = await serve(t, reply({ message: 'a'.repeat(100_000) }, 503))
  await assert.rejects(ask(), { message: `the authority answered 503: ${'a'.repeat(1_000)}…` })
})

test('askAuthority follows no redirect: the token is for the authority only', async (t) => {
  let asked = 0
  const { ask, url } = await serve(t, (_request, response) => {
    asked += 1
    response.writeHead(307, { location: `${url}/elsewhere` }).end('{}')
  })
  await assert.rejects(ask(), { message: 'the authority answered 307: no reason given' })
  assert.equal(asked, 1)
})

const NO_GRANTS: readonly [what: string, answer: unknown, why: string][] = [
  ['no JSON', '<html>', 'the answer of the authority is not JSON'],
  ['no object', [], 'the answer of the authority is invalid: expected an object'],
  ['null', null, 'the answer of the authority is invalid: expected an object'],
  [
    'no CA',
    { ...ANSWER, ca: undefined },
    'the answer of the authority is invalid: expected PEM at "ca"',
  ],
  [
    'a CA that is none',
    { ...ANSWER, ca: 'nonsense' },
    'the answer of the authority has no certificate at "ca"',
  ],
  [
    'a certificate that is none',
    { ...ANSWER, certificate: '' },
    'the answer of the authority has no certificate at "certificate"',
  ],
  [
    'no front proxy',
    { ...ANSWER, requestHeader: undefined },
    'the answer of the authority is invalid: expected an object at "requestHeader"',
  ],
  [
    'a front proxy without an authority',
    { ...ANSWER, requestHeader: { allowedNames: [] } },
    'the answer of the authority is invalid: expected PEM at "requestHeader.clientCa"',
  ],
  [
    'a front proxy of which any name would do, for want of a list',
    { ...ANSWER, requestHeader: { clientCa: frontProxy.cert } },
    'the answer of the authority is invalid: expected names at "requestHeader.allowedNames"',
  ],
  [
    'names that are none',
    { ...ANSWER, requestHeader: { clientCa: frontProxy.cert, allowedNames: [7] } },
    'the answer of the authority is invalid: expected names at "requestHeader.allowedNames"',
  ],
]

for (const [what, answer, message] of NO_GRANTS) {
  test(`askAuthority refuses an answer with ${what}`, async (t) => {
    const { ask } = await serve(t, reply(answer))
    await assert.rejects(ask(), { message })
  })
}

test('askAuthority stops reading an endless answer', async (t) => {
  const left = Promise.withResolvers<void>()
  const endless = (response: ServerResponse) => {
    response.once('close', left.resolve)
    const write = () => {
      while (!response.destroyed && response.write(' '.repeat(65_536)));
    }
    response.on('drain', write)
    write()
  }
  const { ask } = await serve(t, (_request, response) => endless(response))
  await assert.rejects(ask(), { message: 'the answer of the authority is too long' })
  await left.promise
})

test('askAuthority does not trust a server of another CA, and does not send it the token', async (t) => {
  const impostor = await createAuthority('flux-metrics CA')
  const pair = await impostor.issue({ commonName: 'webhook', ips: ['127.0.0.1'] })
  let asked = 0
  const { ask, url } = await serve(t, () => (asked += 1), pair)
  const host = new URL(url).host
  await assert.rejects(ask(), (error: Error) => {
    assert.equal(
      error.message,
      `the authority at ${host} cannot be reached: its certificate is not signed by a CA that this pod knows: ` +
        'the webhook was installed anew, with another CA. Restore Secret flux-metrics-ca of the earlier installation, ' +
        'or delete this pod, which ends the jobs of the MiniCluster (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
    )
    assert.ok(!error.message.includes(TOKEN))
    return true
  })
  assert.equal(asked, 0)
})

test('askAuthority trusts any of several CAs', async (t) => {
  const { ask } = await serve(t, reply(ANSWER))
  await ask({ ca: `${frontProxy.cert}\n${authority.cert}` })
})

test('askAuthority refuses a certificate for another name', async (t) => {
  const pair = await authority.issue({ commonName: 'other', dns: ['other.svc'] })
  const { ask } = await serve(t, reply(ANSWER), pair)
  await assert.rejects(ask(), /cannot be reached: its certificate is for another name: /)
})

test('askAuthority requires TLS 1.2 or later', async (t) => {
  const old = { ...serving, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' } as const
  const { ask } = await serve(t, reply(ANSWER), { ...old, ciphers: 'DEFAULT@SECLEVEL=0' })
  await assert.rejects(ask(), /cannot be reached/)
})

test('askAuthority requires a suite with authenticated encryption', async (t) => {
  const tls = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' } as const
  const { ask } = await serve(t, reply(ANSWER), { ...serving, ...tls })
  await assert.rejects(ask(), /cannot be reached: the TLS handshake fails/)
})

test('askAuthority says that the connection is refused', async (t) => {
  const server = createTcpServer()
  const port = await listen(t, server)
  server.close()
  await once(server, 'close')
  await assert.rejects(ask(`https://127.0.0.1:${port}`), {
    message: `the authority at 127.0.0.1:${port} cannot be reached: no webhook listens there: see whether its pods run (ECONNREFUSED)`,
  })
})

test('askAuthority ends when it is aborted before the answer', async (t) => {
  const stop = new AbortController()
  const { ask, url } = await serve(t, () => stop.abort())
  await assert.rejects(ask({ signal: stop.signal }), {
    message: `the authority at ${new URL(url).host} cannot be reached: there is no answer in time: is the webhook overloaded, or a NetworkPolicy between them? (ABORT_ERR)`,
  })
})

const CUT = { message: 'the answer of the authority is not complete' }

test('askAuthority ends when it is aborted in the middle of the answer', async (t) => {
  const stop = new AbortController()
  const begun = () => setImmediate(() => stop.abort())
  subscribe('http.client.response.finish', begun)
  t.after(() => unsubscribe('http.client.response.finish', begun))
  const { ask } = await serve(t, (_request, response) => response.write('{"ca":'))
  await assert.rejects(ask({ signal: stop.signal }), CUT)
})

test('askAuthority says that an answer is not complete', async (t) => {
  const { ask } = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('{"ca":', () => response.destroy())
  })
  await assert.rejects(ask(), CUT)
})

test('askAuthority does not reveal a token that cannot be sent', async () => {
  await assert.rejects(ask('https://127.0.0.1:1', { token: `${TOKEN}\n` }), (error: Error) => {
    assert.ok(!error.message.includes(TOKEN))
    return true
  })
})
