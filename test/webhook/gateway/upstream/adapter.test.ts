import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { test } from 'node:test'
import { createAuthority } from '../../../support/certificates.ts'
import { CUSTOM, headerOf, NAME, startAdapter, startGateway } from './adapters.ts'

const WITHIN = { timeout: 20_000 }
const BASE = `/apis/${CUSTOM}/v1beta1/namespaces`

test('a request arrives as it was received, byte by byte', WITHIN, async (t) => {
  const server = await startAdapter(t)
  const gateway = await startGateway(t, server)
  const targets = [
    `${BASE}/a/pods/%2A/http_requests?labelSelector=app%3Dweb%2Ctier+in+%28a%2Cb%29`,
    `${BASE}/a/services/x%2Fy/m;v=1?a=1;b=2`,
    `${BASE}/a/services/%e4%b8%ad%E6%96%87/m%20n`,
    `${BASE}/a/metrics/flux:queue.depth?`,
    `${BASE}//a///m?labelSelector=&labelSelector=x%`,
    `${BASE}/a/services/x/..m`,
  ]
  for (const target of targets) assert.equal((await gateway.get(target)).status, 200)
  assert.deepEqual(
    server.received.map(({ url }) => url),
    targets,
  )
})

test('who asks is not passed on, and the token of the gateway is', WITHIN, async (t) => {
  const server = await startAdapter(t)
  const gateway = await startGateway(t, server)
  await gateway.get(`${BASE}/a/metrics/m`, {
    Accept: 'application/vnd.kubernetes.protobuf, */*',
    'Accept-Encoding': 'gzip',
    'Audit-Id': '42',
    Authorization: 'Bearer stolen',
    Cookie: 'a=b',
    'If-None-Match': '"1"',
    'X-Remote-User': 'alice',
    'X-Remote-Group': 'system:masters',
    'X-Remote-Extra-Scopes': 'all',
    'X-Forwarded-For': '10.0.0.1',
    'Impersonate-User': 'bob',
    'Keep-Alive': 'timeout=5',
    TE: 'trailers',
    Connection: 'keep-alive, X-Hop',
    'X-Hop': '1',
  })
  const [received] = server.received
  assert.ok(received)
  const names = received.rawHeaders.filter((_, index) => index % 2 === 0)
  assert.deepEqual(names.map((name) => name.toLowerCase()).sort(), [
    'accept',
    'accept-encoding',
    'audit-id',
    'authorization',
    'connection',
    'host',
  ])
  assert.deepEqual(headerOf(received, 'authorization'), ['Bearer first-token'])
  assert.deepEqual(headerOf(received, 'accept'), ['application/vnd.kubernetes.protobuf, */*'])
  assert.deepEqual(headerOf(received, 'host'), [`${NAME}:${server.port}`])
  assert.deepEqual(headerOf(received, 'connection'), ['keep-alive'])
})

test(
  'the token that the kubelet has replaced is sent from the next request on',
  WITHIN,
  async (t) => {
    const server = await startAdapter(t)
    const gateway = await startGateway(t, server)
    await gateway.get(`${BASE}/a/metrics/m`)
    await writeFile(gateway.tokenFile, 'second-token\n')
    await gateway.get(`${BASE}/a/metrics/m`)
    const tokens = server.received.map((one) => headerOf(one, 'authorization')[0])
    assert.deepEqual(tokens, ['Bearer first-token', 'Bearer second-token'])
  },
)

test('status, type and body come back unchanged, without other headers', WITHIN, async (t) => {
  const body = Buffer.from([0x6b, 0x38, 0x73, 0, 0xff, 0xfe, 10])
  const server = await startAdapter(t, {
    handler: (_request, response) => {
      response.writeHead(429, {
        'Content-Type': 'application/vnd.kubernetes.protobuf',
        'Content-Length': body.length,
        'Retry-After': '1',
        'Set-Cookie': 'a=b',
        'Keep-Alive': 'timeout=1',
        Server: 'adapter',
        'Strict-Transport-Security': 'max-age=1',
      })
      response.end(body)
    },
  })
  const gateway = await startGateway(t, server)
  const answered = Promise.withResolvers<Buffer>()
  const request = get({ port: gateway.port, path: `${BASE}/a/metrics/m` }, async (response) => {
    const { date, connection, 'keep-alive': keepAlive, ...headers } = response.headers
    assert.equal(response.statusCode, 429)
    assert.deepEqual(headers, {
      'content-type': 'application/vnd.kubernetes.protobuf',
      'content-length': '7',
      'retry-after': '1',
      'x-content-type-options': 'nosniff',
    })
    answered.resolve(Buffer.concat(await response.toArray()))
  })
  request.on('error', answered.reject)
  assert.deepEqual(await answered.promise, body)
})

test('connections are used again', WITHIN, async (t) => {
  const ports = new Set<number | undefined>()
  const server = await startAdapter(t, {
    handler: (request, response) => {
      ports.add(request.socket.remotePort)
      response.setHeader('Content-Type', 'application/json').end('{}')
    },
  })
  const gateway = await startGateway(t, server)
  for (let index = 0; index < 5; index += 1) await gateway.get(`${BASE}/a/metrics/m`)
  assert.equal(ports.size, 1)
})

test('an adapter without a CA is asked whatever its certificate says', WITHIN, async (t) => {
  const other = await createAuthority('unknown')
  const keys = await other.issue({ commonName: 'x', dns: ['elsewhere'] })
  const server = await startAdapter(t, { keys })
  const target = { namespace: 'a', service: 'b', port: server.port, caFile: undefined }
  const gateway = await startGateway(t, { port: server.port, target })
  assert.equal((await gateway.get(`${BASE}/a/metrics/m`)).status, 200)
})

test('a path that leads elsewhere is refused, and nothing is sent', WITHIN, async (t) => {
  const server = await startAdapter(t)
  const gateway = await startGateway(t, server)
  for (const path of [
    `${BASE}/a/../b/metrics/m`,
    `${BASE}/a/%2e%2E/metrics/m`,
    `${BASE}/a/./m`,
    `${BASE}/..`,
    '/api/v1/secrets',
    '/apis/external.metrics.k8s.io/v1beta1/namespaces/a/m',
    `/apis/${CUSTOM}`,
  ]) {
    const { status, text } = await gateway.get(path)
    assert.deepEqual([path, status], [path, 400], text)
  }
  assert.deepEqual(server.received, [])
})
