import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { createLogger } from '#serving/log.ts'
import { forbidden } from '#serving/status.ts'
import {
  type CertificateAppOptions,
  createCertificateApp,
  createReviewApp,
  type ReviewAppOptions,
} from '../../webhook/app.ts'
import { createHealthApp, type HealthAppOptions } from '../../webhook/health.ts'
import type { IdentityRequest } from '../../webhook/identities/identities.ts'
import { createTelemetry } from '../../webhook/telemetry.ts'
import { TOKEN } from '../support/lead-broker.ts'

const JSON_TYPE = 'application/json; charset=utf-8'
const GRANT = {
  certificate: 'a certificate',
  ca: 'a CA',
  requestHeader: {
    clientCa: 'another CA',
    allowedNames: ['front-proxy-client'],
    usernameHeaders: [],
    groupHeaders: [],
    extraHeaderPrefixes: [],
  },
}

interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

type Changes = Partial<ReviewAppOptions & CertificateAppOptions & HealthAppOptions>

/** The apps on plain HTTP, with the calls to the parts behind them and their log. */
async function serve(
  t: TestContext,
  changes: Changes = {},
  which: 'by path' | 'reviews' | 'health' = 'by path',
) {
  const lines: string[] = []
  const reviewed: string[] = []
  const asked: { token: string | undefined; body: string }[] = []
  const options = {
    admission: {
      review: async (body: Buffer) => {
        reviewed.push(body.toString())
        return '{"kind":"AdmissionReview"}'
      },
    },
    identities: {
      issue: async ({ token, body }: IdentityRequest) => {
        asked.push({ token, body: (await body).toString() })
        return GRANT
      },
    },
    readiness: () => ({ ready: true, message: 'certificate until tomorrow' }),
    clients: undefined,
    telemetry: createTelemetry(),
    log: createLogger('debug', { write: (line: string) => void lines.push(line) }),
    ...changes,
  }
  const reviews = createReviewApp(options).callback()
  const certificates = createCertificateApp(options).callback()
  const health = createHealthApp(options).callback()
  const handlerOf = (path: string) => {
    if (which !== 'by path') return which === 'reviews' ? reviews : health
    return path.startsWith('/certificates') ? certificates : path === '/metrics' ? health : reviews
  }
  const server = createServer((asked, answer) => handlerOf(asked.url ?? '')(asked, answer))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address !== null && typeof address !== 'string')
  const { port } = address
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const send = async (path: string, { method = 'POST', headers = {}, body = '{}' }: Sent = {}) => {
    const type = { 'content-type': 'application/json' }
    const sent = request({ port, path, method, agent, headers: { ...type, ...headers } })
    sent.end(method === 'GET' ? undefined : body)
    const [response] = await once(sent, 'response')
    let text = ''
    for await (const chunk of response) text += chunk
    return {
      code: response.statusCode,
      type: response.headers['content-type'],
      closes: response.headers.connection === 'close',
      text,
    }
  }
  return { send, asked, reviewed, lines }
}

function messageIn(text: string): string {
  const { kind, message } = JSON.parse(text)
  assert.equal(kind, 'Status')
  return message
}

test('POST /certificates passes on token and body, and answers with the identity', async (t) => {
  const { send, asked } = await serve(t)
  const headers = { authorization: `Bearer ${TOKEN}` }
  const { code, type, text } = await send('/certificates', { headers, body: '{"csr":"…"}' })
  assert.deepEqual([code, type, JSON.parse(text)], [200, JSON_TYPE, GRANT])
  assert.deepEqual(asked, [{ token: TOKEN, body: '{"csr":"…"}' }])
})

const LONG = 'a'.repeat(10_240)

const TOKENS: readonly [what: string, header: string | undefined, token: string | undefined][] = [
  ['no header', undefined, undefined],
  ['an empty header', '', undefined],
  ['a scheme without a token', 'Bearer', undefined],
  ['a scheme with a blank', 'Bearer ', undefined],
  ['another scheme', 'Basic cm9vdDpyb290', undefined],
  ['a scheme in small letters', 'bearer abc', 'abc'],
  ['all characters of RFC 6750', 'Bearer aZ09-._~+/==', 'aZ09-._~+/=='],
  ['a blank inside', 'Bearer a b', undefined],
  ['a comma', 'Bearer a,b', undefined],
  ['a quote', 'Bearer "a"', undefined],
  ['a tab', 'Bearer a\tb', undefined],
  ['letters outside of ASCII', 'Bearer \u00fc', undefined],
  ['padding inside', 'Bearer a=b', undefined],
  ['10 KiB', `Bearer ${LONG}`, LONG],
]

for (const [what, authorization, token] of TOKENS) {
  test(`the token is taken from "Authorization": ${what}`, async (t) => {
    const { send, asked } = await serve(t)
    await send('/certificates', authorization === undefined ? {} : { headers: { authorization } })
    assert.deepEqual(asked, [{ token, body: '{}' }])
  })
}

test('a refusal is answered unchanged, and the token is not logged', async (t) => {
  const issue = async () => {
    throw forbidden('Cannot issue an identity: the pod of the token does not exist')
  }
  const { send, lines } = await serve(t, { identities: { issue } })
  const headers = { authorization: `Bearer ${TOKEN}` }
  const { code, type, text } = await send('/certificates', { headers })
  assert.deepEqual([code, type], [403, JSON_TYPE])
  assert.equal(messageIn(text), 'Cannot issue an identity: the pod of the token does not exist')
  assert.deepEqual(lines, [])
})

test('a defect is answered with 500 and a constant text, and logged without the token', async (t) => {
  const issue = async () => {
    throw new TypeError('secret detail')
  }
  const { send, lines } = await serve(t, { identities: { issue } })
  const headers = { authorization: `Bearer ${TOKEN}` }
  const { code, text } = await send('/certificates', { headers })
  assert.deepEqual([code, messageIn(text)], [500, 'Internal error of flux-metrics'])
  assert.match(lines.join(), /secret detail/)
  assert.ok(!lines.join().includes(TOKEN))
})

const BODIES: readonly [what: string, path: string, sent: Sent, code: number, message: string][] = [
  [
    'another content type',
    '/certificates',
    { headers: { 'content-type': 'text/plain' } },
    400,
    'Cannot read the body: expected application/json, got "text/plain"',
  ],
  [
    'another content type',
    '/mutate',
    { headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    400,
    'Cannot read the body: expected application/json, got "application/x-www-form-urlencoded"',
  ],
  [
    'more than 16 KiB',
    '/certificates',
    { body: ' '.repeat(16_385) },
    413,
    'Cannot read the body: it has more than 16384 bytes',
  ],
  [
    'more than 7 MiB',
    '/mutate',
    { body: Buffer.alloc(7 * 2 ** 20 + 1, ' ') },
    413,
    'Cannot read the body: it has more than 7340032 bytes',
  ],
]

for (const [what, path, sent, expected, message] of BODIES) {
  test(`a body of ${what} is refused at ${path}, and the connection ends`, async (t) => {
    const { send, asked, reviewed } = await serve(t)
    const { code, closes, text } = await send(path, sent)
    assert.deepEqual([code, closes, messageIn(text)], [expected, true, message])
    assert.deepEqual([asked, reviewed], [[], []])
  })
}

test('a body of 16 KiB is read', async (t) => {
  const { send, asked } = await serve(t)
  const { code, closes } = await send('/certificates', { body: ' '.repeat(16_384) })
  assert.deepEqual([code, closes, asked[0]?.body.length], [200, false, 16_384])
})

test('a content type may have parameters', async (t) => {
  const { send } = await serve(t)
  const headers = { 'content-type': 'application/json; charset=utf-8' }
  assert.equal((await send('/certificates', { headers })).code, 200)
})

test('POST /mutate passes on the review, and sends its answer', async (t) => {
  const { send, reviewed } = await serve(t)
  const { code, type, text } = await send('/mutate?timeout=3s', { body: '{"request":{}}' })
  assert.deepEqual([code, type, text], [200, JSON_TYPE, '{"kind":"AdmissionReview"}'])
  assert.deepEqual(reviewed, ['{"request":{}}'])
})

for (const [method, path, code] of [
  ['GET', '/certificates', 405],
  ['PUT', '/certificates', 405],
  ['GET', '/mutate', 405],
  ['POST', '/livez', 405],
  ['GET', '/certificates/', 404],
  ['GET', '/mutate/', 404],
  ['GET', '/', 404],
] as const) {
  test(`${method} ${path} is ${code}`, async (t) => {
    const { send, asked, reviewed } = await serve(t)
    assert.equal((await send(path, { method })).code, code)
    assert.deepEqual([asked, reviewed], [[], []])
  })
}

test('certificates are not issued on the port of reviews, whose answer names the other port', async (t) => {
  const { send, asked } = await serve(t, {}, 'reviews')
  const { code, text } = await send('/certificates')
  assert.equal(code, 404)
  assert.equal(messageIn(text), 'Certificates are issued on port 8444 of this Service')
  assert.deepEqual(asked, [])
})

for (const path of ['/mutate', '/certificates']) {
  test(`the port of health takes nothing at ${path}`, async (t) => {
    const { send, asked, reviewed } = await serve(t, {}, 'health')
    assert.equal((await send(path)).code, 405)
    assert.deepEqual([asked, reviewed], [[], []])
  })
}

test('metrics are not on the port of reviews', async (t) => {
  const { send } = await serve(t, {}, 'reviews')
  assert.equal((await send('/metrics', { method: 'GET' })).code, 404)
})

test('a client that is not verified sends no review, and its connection ends', async (t) => {
  const clients = { verify: () => ({ kind: 'refused', reason: 'it sent no certificate' }) as const }
  const { send, reviewed } = await serve(t, { clients })
  const { code, closes, text } = await send('/mutate')
  const message = 'Cannot take a review from this client: it sent no certificate'
  assert.deepEqual([code, closes, messageIn(text), reviewed], [401, true, message, []])
  assert.equal((await send('/livez', { method: 'GET' })).code, 200)
})

test('/livez is always 200, /readyz says why the webhook is ready or not', async (t) => {
  const ready = await serve(t)
  const message = 'no certificate yet: the API server is away'
  const notReady = await serve(t, { readiness: () => ({ ready: false, message }) })
  const get = { method: 'GET' }
  const answers = await Promise.all([
    ready.send('/livez', get),
    ready.send('/readyz', get),
    notReady.send('/livez', get),
    notReady.send('/readyz', get),
  ])
  assert.deepEqual(
    answers.map(({ code, text }) => [code, text]),
    [
      [200, 'ok\n'],
      [200, 'ok: certificate until tomorrow\n'],
      [200, 'ok\n'],
      [503, `not ready: ${message}\n`],
    ],
  )
})

test('/metrics has the outcomes of requests', async (t) => {
  const telemetry = createTelemetry()
  telemetry.countCertificate('WeakKey')
  const { send } = await serve(t, { telemetry })
  const { code, type, text } = await send('/metrics', { method: 'GET' })
  assert.deepEqual([code, type], [200, telemetry.registry.contentType])
  assert.match(text, /^flux_metrics_webhook_certificates_total\{reason="WeakKey"\} 1$/m)
})

test('/metrics may have parts, such as a long one that all who ask share', async (t) => {
  const page = ['# one\n', Buffer.from('# two\n'), Buffer.alloc(0)]
  const telemetry = { contentType: 'text/plain; version=0.0.4', render: async () => page }
  const { send } = await serve(t, { telemetry })
  const { code, type, text } = await send('/metrics', { method: 'GET' })
  assert.deepEqual([code, type, text], [200, telemetry.contentType, '# one\n# two\n'])
})
