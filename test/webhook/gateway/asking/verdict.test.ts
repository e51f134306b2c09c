import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from '../../../../webhook/gateway/asking/verdict.ts'

const ABOUT = 'MiniCluster team-a/flux-sample'
const VERSIONS = { sidecar: '0.1.0', gateway: '0.2.0' }

function answer(code: number, type: string | undefined, body: string | Buffer, headers = {}) {
  const all = { ...(type === undefined ? {} : { 'content-type': type }), ...headers }
  return { code, headers: all, body: Buffer.from(body) }
}

function status(code: number, changes: Record<string, unknown> = {}) {
  const body = { kind: 'Status', message: 'no snapshot', reason: 'ServiceUnavailable', ...changes }
  return answer(code, 'application/json', JSON.stringify(body))
}

/** The code, the reason and the end of the message of the error that an answer becomes. */
function refusal(given: ReturnType<typeof answer>) {
  try {
    judge(ABOUT, given, VERSIONS)
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && 'reason' in error)
    assert.ok(error.message.startsWith(`${ABOUT}: its sidecar `))
    return [error.code, error.reason, error.message.slice(`${ABOUT}: its sidecar `.length)]
  }
  return assert.fail('it is passed on')
}

const UNAVAILABLE = [503, 'ServiceUnavailable'] as const

test('passes on JSON and plain text, with types of its own words', () => {
  const types = {
    'application/json': 'application/json',
    'Application/JSON; charset=utf-8': 'application/json',
    'text/plain; version=0.0.4; charset=utf-8': 'text/plain; charset=utf-8',
  }
  for (const [given, contentType] of Object.entries(types)) {
    assert.deepEqual(judge(ABOUT, answer(200, given, 'ü'), VERSIONS), { contentType, body: 'ü' })
  }
})

test('no other type, encoding or text comes out', () => {
  assert.deepEqual(refusal(answer(200, 'text/html', '<script>')), [
    ...UNAVAILABLE,
    'answered with "text/html"',
  ])
  assert.deepEqual(refusal(answer(200, undefined, '{}')), [...UNAVAILABLE, 'answered with ""'])
  assert.deepEqual(refusal(answer(200, 'text/plain', 'x', { 'content-encoding': 'gzip' })), [
    ...UNAVAILABLE,
    'answered with the encoding "gzip"',
  ])
  assert.deepEqual(refusal(answer(200, 'text/plain', Buffer.from([0xc3, 0x28]))), [
    ...UNAVAILABLE,
    'answered with bytes that are no UTF-8',
  ])
})

test('a Status keeps its code and its reason', () => {
  assert.deepEqual(refusal(status(503)), [...UNAVAILABLE, 'says: no snapshot'])
  const missing = { message: 'the server could not find the metric x', reason: 'NotFound' }
  assert.deepEqual(refusal(status(404, missing)), [
    404,
    'NotFound',
    'says: the server could not find the metric x',
  ])
})

test('an error about the gateway is no error of whoever asked', () => {
  const tooMany = { message: 'Cannot take more', reason: 'TooManyRequests' }
  assert.deepEqual(refusal(status(429, tooMany)), [...UNAVAILABLE, 'says: Cannot take more'])
  const [code, reason, message] = refusal(status(401, { message: 'who?', reason: 'Unauthorized' }))
  assert.deepEqual([code, reason], UNAVAILABLE)
  assert.match(
    String(message),
    /^says: who\?; it does not know the gateway yet: .*sidecar "0\.1\.0"|"0\.1\.0", gateway "0\.2\.0"/,
  )
})

test('any other answer is an error of the gateway', () => {
  const body = '{"kind":"Status","message":1}'
  for (const [given, words] of [
    [answer(302, 'text/plain', ''), 'answered 302, a redirect, which is not followed'],
    [answer(204, undefined, ''), 'answered 204'],
    [answer(500, 'text/plain', 'oh'), 'answered 500'],
    [answer(503, 'application/json', 'no JSON'), 'answered 503'],
    [answer(503, 'application/json', 'null'), 'answered 503'],
    [answer(503, 'application/json', body), 'answered 503'],
    [status(503, { reason: 'two words' }), 'answered 503'],
    [status(600), 'answered 600'],
    [status(201), 'answered 201'],
  ] as const) {
    assert.deepEqual(refusal(given), [...UNAVAILABLE, words])
  }
})

test("a sidecar's words are shortened, and have no control characters", () => {
  const [, , message] = refusal(status(503, { message: `\u001b[2J\u202e${'x'.repeat(5_000)}` }))
  assert.match(String(message), /^says: \\u\{1b\}\[2J\\u\{202e\}x+…$/)
  assert.ok(String(message).length < 2_100)
})
