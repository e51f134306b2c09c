// The verbs over a real HTTPS server that answers as an API server does. The e2e tests use a real API server.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { connectCluster } from '../../../webhook/kubernetes/api-server.ts'
import {
  AnswerTooLong,
  ApiConnection,
  ClusterError,
  isTooMuch,
  isTransient,
} from '../../../webhook/kubernetes/connection/api-connection.ts'
import { createAuthority } from '../../support/certificates.ts'

const JOB = { apiVersion: 'batch/v1', kind: 'Job', name: 'flux-sample', namespace: 'hpc' } as const
const JOB_PATH = '/apis/batch/v1/namespaces/hpc/jobs/flux-sample'

const EVENT = {
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { generateName: 'flux-sample.', namespace: 'hpc' },
} as const

interface Seen {
  readonly userAgent: string | undefined
  readonly line: string
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly accept: string | undefined
  readonly body: string
}

/** Its end is sent when `until` resolves. */
interface Given {
  readonly code: number
  readonly body: unknown
  readonly until?: Promise<void>
}

const USER_AGENT = 'flux-metrics-test/1.2.3'

type Answer = (request: Seen) => Given | undefined

/** An API server. A call that `answer` does not answer has no answer. */
async function serve(t: TestContext, answer: Answer, tls: ServerOptions = {}) {
  const authority = await createAuthority('kubernetes-ca')
  const { cert, key } = await authority.issue({ commonName: 'kube-apiserver', dns: ['localhost'] })
  const seen: Seen[] = []
  let connections = 0
  let resets = 0
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    if (resets > 0) {
      resets -= 1
      request.socket.destroy()
      return
    }
    const { authorization, accept, 'content-type': contentType } = request.headers
    const { 'user-agent': userAgent } = request.headers
    const line = `${request.method} ${request.url}`
    const call = { line, authorization, accept, contentType, userAgent, body: await text(request) }
    seen.push(call)
    const given = answer(call)
    if (given === undefined) return
    response.writeHead(given.code, { 'Content-Type': 'application/json' })
    response.write(typeof given.body === 'string' ? given.body : JSON.stringify(given.body))
    await given.until
    response.end()
  }
  const server = createServer(
    { cert, key, ...tls },
    (request, response) => void handle(request, response),
  )
  server.on('secureConnection', () => {
    connections += 1
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `https://localhost:${address.port}`,
    ca: authority.cert,
    seen,
    connections: () => connections,
    /** Closes the connection of each of the next calls without an answer. */
    resetNextOf: (calls: number) => {
      resets = calls
    },
  }
}

async function connect(t: TestContext, answer: Answer) {
  const server = await serve(t, answer)
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
  t.after(async () => rm(folder, { recursive: true }))
  const path = join(folder, 'config')
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'a',
        cluster: {
          server: server.url,
          'certificate-authority-data': Buffer.from(server.ca).toString('base64'),
        },
      },
    ],
    users: [{ name: 'a', user: { token: 'secret-token' } }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    'current-context': 'a',
  }
  await writeFile(path, JSON.stringify(kubeconfig))
  return { ...server, cluster: connectCluster(path, USER_AGENT) }
}

const found = (body: unknown = { kind: 'Job' }) => ({ code: 200, body })
const refused = (code: number, message = 'no') => ({ code, body: { kind: 'Status', message } })

const PODS = { apiVersion: 'v1', kind: 'Pod', namespace: 'hpc' } as const

test('list asks for a part of a collection, and gives each object its kind', async (t) => {
  const items = [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }]
  const body = { kind: 'PodList', metadata: { continue: 'next=' }, items }
  const { cluster, seen } = await connect(t, () => found(body))
  const collection = { ...PODS, labelSelector: 'app=a,!b' }
  const page = await cluster.list(collection, { limit: 2, continue: 'here/' })
  const { namespace: _namespace, ...kind } = PODS
  assert.deepEqual(page, { items: items.map((item) => ({ ...item, ...kind })), continue: 'next=' })
  const query = 'limit=2&labelSelector=app%3Da%2C%21b&continue=here%2F'
  assert.deepEqual(
    seen.map(({ line }) => line),
    [`GET /api/v1/namespaces/hpc/pods?${query}`],
  )
})

for (const [what, answer] of [
  ['the last part', found({ metadata: { continue: '' }, items: [] })],
  ['a list without items, as Go writes an empty one', found({ metadata: {}, items: null })],
  ['a kind that does not exist', refused(404)],
] as const) {
  test(`list of ${what} has no further part`, async (t) => {
    const { cluster } = await connect(t, () => answer)
    assert.deepEqual(await cluster.list(PODS, { limit: 500 }), { items: [], continue: undefined })
  })
}

test('a further part of a list that is not there is an error: the list would be shorter', async (t) => {
  const { cluster } = await connect(t, () => refused(404))
  await assert.rejects(cluster.list(PODS, { limit: 500, continue: 'here' }), { code: 404 })
})

test('list throws what the API server refuses', async (t) => {
  const { cluster } = await connect(t, () => refused(403, 'pods is forbidden'))
  await assert.rejects(cluster.list(PODS, { limit: 500 }), { code: 403, message: /is forbidden/ })
})

test('list makes no call for a namespace that cannot exist', async (t) => {
  const { cluster, seen } = await connect(t, () => found({ items: [{}] }))
  const page = await cluster.list({ ...PODS, namespace: '../kube-system' }, { limit: 500 })
  assert.deepEqual([page, seen], [{ items: [], continue: undefined }, []])
})

test('read asks for the object, with the credentials of the configuration', async (t) => {
  const { cluster, seen } = await connect(t, () => found({ kind: 'Job', spec: {} }))
  assert.deepEqual(await cluster.read(JOB), { kind: 'Job', spec: {} })
  assert.deepEqual(seen, [
    {
      line: `GET ${JOB_PATH}`,
      authorization: 'Bearer secret-token',
      userAgent: USER_AGENT,
      contentType: undefined,
      accept: 'application/json',
      body: '',
    },
  ])
})

test('read asks for metadata alone where no more is needed', async (t) => {
  const { cluster, seen } = await connect(t, () => found({ metadata: { uid: 'a' } }))
  assert.deepEqual(await cluster.read({ ...JOB, metadataOnly: true }), { metadata: { uid: 'a' } })
  assert.deepEqual(
    seen.map(({ line, accept }) => [line, accept]),
    [[`GET ${JOB_PATH}`, 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1']],
  )
})

test('read returns undefined for an object that does not exist, and for one that cannot exist', async (t) => {
  const { cluster, seen } = await connect(t, () => refused(404))
  assert.equal(await cluster.read(JOB), undefined)
  assert.equal(await cluster.read({ ...JOB, name: '../../secrets' }), undefined)
  assert.equal(seen.length, 1)
})

test('list asks for metadata alone where no more is needed, with its selectors', async (t) => {
  const { cluster, seen } = await connect(t, () => found({ items: [{ metadata: { name: 'a' } }] }))
  const pods = {
    apiVersion: 'v1',
    kind: 'Pod',
    labelSelector: 'app=flux-operator',
    fieldSelector: 'status.phase!=Failed',
    metadataOnly: true,
  }
  const { items } = await cluster.list(pods, { limit: 100, continue: 'next' })
  assert.deepEqual(items, [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }])
  assert.deepEqual(
    seen.map(({ line, accept }) => [decodeURIComponent(line), accept]),
    [
      [
        'GET /api/v1/pods?limit=100&fieldSelector=status.phase!=Failed&labelSelector=app=flux-operator&continue=next',
        'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      ],
    ],
  )
})

test('an answer that is too long is told apart: a list can be read in smaller parts', async (t) => {
  const { cluster } = await connect(t, () => ({ code: 200, body: ' '.repeat(8 * 2 ** 20 + 1) }))
  await assert.rejects(cluster.list({ apiVersion: 'v1', kind: 'Pod' }, { limit: 9 }), (error) => {
    assert.ok(error instanceof ClusterError)
    return error.cause instanceof AnswerTooLong
  })
})

test('a list may have a bound of its own, and one that is too long is not asked for again', async (t) => {
  const { cluster } = await connect(t, () => ({ code: 200, body: ' '.repeat(1_000) }))
  const bounded = cluster.list({ apiVersion: 'v1', kind: 'Pod' }, { limit: 9, maxBytes: 999 })
  await assert.rejects(bounded, (error) => {
    assert.ok(error instanceof ClusterError)
    assert.equal(isTransient(error), false)
    return error.cause instanceof AnswerTooLong
  })
})

test('long answers that wait for each other hold up no short ones, and all are read', async (t) => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const body = { kind: 'Job', pad: 'x'.repeat(2 ** 18) }
  const { cluster } = await connect(t, ({ line }) =>
    line.endsWith('/short') ? found() : { ...found(body), until: gate },
  )
  const long = Promise.all(['a', 'b', 'c'].map((name) => cluster.read({ ...JOB, name })))
  assert.ok(await cluster.read({ ...JOB, name: 'short' }))
  open()
  assert.deepEqual(await long, [body, body, body])
})

test('each call names the program, which the API server takes for the manager of its fields', async (t) => {
  const { cluster, seen } = await connect(t, () => found())
  await cluster.read(JOB)
  await cluster.create({ ...JOB, metadata: { name: 'flux-sample', namespace: 'hpc' } })
  assert.deepEqual(
    seen.map(({ userAgent }) => userAgent),
    [USER_AGENT, USER_AGENT],
  )
})

test('calls share connections', async (t) => {
  const { cluster, connections } = await connect(t, () => found())
  for (let count = 0; count < 5; count += 1) await cluster.read(JOB)
  assert.equal(connections(), 1)
})

test('calls that begin at one time, or after a refused token, share connections too', async (t) => {
  let code = 200
  const server = await serve(t, () => ({ code, body: {} }))
  const connection = new ApiConnection(
    server.url,
    async (options) => {
      Object.assign(options, { ca: server.ca })
    },
    USER_AGENT,
  )
  const call = async () => connection.call('GET', '/version')
  await Promise.all(Array.from({ length: 4 }, call))
  await Promise.all(Array.from({ length: 4 }, call))
  assert.equal(server.connections(), 4)
  code = 401
  await call()
  await call()
  assert.equal(server.connections(), 4)
})

test('read asks again on a new connection if the server had closed the one that it kept', async (t) => {
  const server = await connect(t, () => found())
  const { cluster, connections } = server
  await cluster.read(JOB)
  await Promise.all([cluster.read(JOB), cluster.read(JOB), cluster.read(JOB)])
  assert.equal(connections(), 3)
  server.resetNextOf(3)
  assert.deepEqual(await cluster.read(JOB), { kind: 'Job' })
  assert.equal(connections(), 4)
})

test('create is not sent twice, whatever became of the first call', async (t) => {
  const server = await connect(t, () => found())
  await server.cluster.read(JOB)
  server.resetNextOf(1)
  await assert.rejects(server.cluster.create(EVENT), { code: 0 })
})

test('create posts to the collection, and reports a conflict', async (t) => {
  const answers = [{ code: 201, body: { kind: 'Event', metadata: { name: 'x' } } }, refused(409)]
  const { cluster, seen } = await connect(t, () => answers.shift())
  assert.deepEqual(await cluster.create(EVENT), { kind: 'Event', metadata: { name: 'x' } })
  assert.equal(await cluster.create(EVENT), 'conflict')
  assert.deepEqual(
    seen.map(({ line, contentType, body }) => [line, contentType, JSON.parse(body)]),
    Array.from({ length: 2 }, () => [
      'POST /api/v1/namespaces/hpc/events',
      'application/json',
      EVENT,
    ]),
  )
})

test('replace reports a conflict for an object that was changed or deleted', async (t) => {
  const answers = [refused(409), refused(404)]
  const { cluster, seen } = await connect(t, () => answers.shift())
  const { name, namespace, ...job } = JOB
  const object = { ...job, metadata: { name, namespace, resourceVersion: '7' } }
  assert.equal(await cluster.replace(object), 'conflict')
  assert.equal(await cluster.replace(object), 'conflict')
  assert.equal(seen[0]?.line, `PUT ${JOB_PATH}`)
})

test('delete is of the object that was read, reports a conflict, and is done if there is none', async (t) => {
  const answers = [found(), refused(404), refused(409), refused(403)]
  const { cluster, seen } = await connect(t, () => answers.shift())
  const { name, namespace, ...job } = JOB
  const object = { ...job, metadata: { name, namespace, uid: 'u', resourceVersion: '7' } }
  assert.equal(await cluster.delete(object), undefined)
  assert.equal(await cluster.delete(object), undefined)
  assert.equal(await cluster.delete(object), 'conflict')
  await assert.rejects(cluster.delete(object), { code: 403 })
  const [first] = seen
  assert.equal(first?.line, `DELETE ${JOB_PATH}`)
  assert.deepEqual(JSON.parse(first?.body ?? ''), {
    apiVersion: 'meta.k8s.io/v1',
    kind: 'DeleteOptions',
    preconditions: { uid: 'u', resourceVersion: '7' },
  })
})

test('apply reads first, and applies with the field manager of the webhook, forced', async (t) => {
  const { cluster, seen } = await connect(t, () => found())
  const { name, namespace, ...job } = JOB
  await cluster.apply({ ...job, metadata: { name, namespace } })
  assert.deepEqual(
    seen.map(({ line, contentType }) => [line, contentType]),
    [
      [`GET ${JOB_PATH}`, undefined],
      [
        `PATCH ${JOB_PATH}?fieldManager=flux-metrics-webhook&force=true`,
        'application/apply-patch+yaml',
      ],
    ],
  )
})

test('apply creates nothing', async (t) => {
  const { cluster, seen } = await connect(t, () => refused(404))
  const { name, namespace, ...job } = JOB
  assert.equal(await cluster.apply({ ...job, metadata: { name, namespace } }), undefined)
  assert.equal(seen.length, 1)
})

test('readVersion reads numbers with the suffixes of providers', async (t) => {
  const { cluster } = await connect(t, () => found({ major: '1', minor: '31+' }))
  assert.deepEqual(await cluster.readVersion(), { major: 1, minor: 31 })
})

test('readVersion refuses an answer without a version', async (t) => {
  const { cluster } = await connect(t, () => found({}))
  await assert.rejects(cluster.readVersion(), /Cannot read the version/)
})

test('a refusal is an error with its code and message', async (t) => {
  const { cluster } = await connect(t, () => refused(403, 'jobs.batch is forbidden'))
  await assert.rejects(cluster.read(JOB), (error) => {
    assert.ok(error instanceof ClusterError)
    assert.deepEqual(
      [error.code, error.message],
      [403, 'The API server answered 403: jobs.batch is forbidden'],
    )
    return true
  })
})

test('an answer that is not JSON is an error too', async (t) => {
  const { cluster } = await connect(t, () => ({ code: 502, body: '<html>bad gateway' }))
  await assert.rejects(cluster.read(JOB), /The API server answered 502: the answer has no message/)
})

test('a server whose certificate another CA has signed is not trusted', async (t) => {
  const { url } = await serve(t, () => found())
  const other = await createAuthority('other')
  const connection = new ApiConnection(
    url,
    async (options) => {
      options.ca = other.cert
    },
    USER_AGENT,
  )
  await assert.rejects(connection.call('GET', '/version'), (error) => {
    return error instanceof ClusterError && error.code === 0
  })
})

test('a server that has no suite with authenticated encryption is not trusted', async (t) => {
  const tls = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' } as const
  const { url, ca } = await serve(t, () => found(), tls)
  const connection = new ApiConnection(
    url,
    async (options) => {
      options.ca = ca
    },
    USER_AGENT,
  )
  await assert.rejects(connection.call('GET', '/version'), /Cannot reach .*handshake failure/)
})

test('a call without an answer ends in time', async (t) => {
  const { url, ca } = await serve(t, () => undefined)
  const apply = async (options: { ca?: unknown }) => {
    options.ca = ca
  }
  const connection = new ApiConnection(url, apply, USER_AGENT, { timeoutMs: 20 })
  await assert.rejects(connection.call('GET', '/version'), (error) => {
    assert.match(String(error), /Cannot reach.*no answer in 20 ms/)
    return isTooMuch(error)
  })
})

test('an answer that is not complete in time says so', async (t) => {
  const { url, ca } = await serve(t, () => ({ ...found(), until: new Promise(() => {}) }))
  const apply = async (options: { ca?: unknown }) => {
    options.ca = ca
  }
  const connection = new ApiConnection(url, apply, USER_AGENT, { timeoutMs: 500 })
  await assert.rejects(connection.call('GET', '/version'), (error) => {
    assert.match(String(error), /Cannot read the answer.*no answer in 500 ms/)
    return isTooMuch(error)
  })
})

test('credentials are read again after a 401', async (t) => {
  const answers = [refused(401), found()]
  const { url, ca, seen } = await serve(t, () => answers.shift())
  let token = 0
  const connection = new ApiConnection(
    url,
    async (options) => {
      token += 1
      options.ca = ca
      options.headers = { Authorization: `Bearer ${token}` }
    },
    USER_AGENT,
  )
  assert.equal((await connection.call('GET', '/version')).code, 401)
  assert.equal((await connection.call('GET', '/version')).code, 200)
  assert.deepEqual(
    seen.map(({ authorization }) => authorization),
    ['Bearer 1', 'Bearer 2'],
  )
})

test('credentials are kept between calls', async (t) => {
  const { url, ca } = await serve(t, () => found())
  let asked = 0
  const connection = new ApiConnection(
    url,
    async (options) => {
      asked += 1
      options.ca = ca
    },
    USER_AGENT,
  )
  for (let count = 0; count < 3; count += 1) await connection.call('GET', '/version')
  assert.equal(asked, 1)
})

test('connectCluster names what is missing', () => {
  assert.throws(() => connectCluster('/nowhere/kubeconfig', USER_AGENT), /nowhere/)
})
