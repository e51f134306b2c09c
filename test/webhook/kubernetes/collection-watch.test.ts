// The watch against an API server over real HTTPS that stalls in each way that is known.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectCluster } from '../../../webhook/kubernetes/api-server.ts'
import type { ClusterObject } from '../../../webhook/kubernetes/cluster.ts'
import { CollectionWatch, type Pace } from '../../../webhook/kubernetes/collection-watch.ts'
import {
  ApiConnection,
  ClusterError,
} from '../../../webhook/kubernetes/connection/api-connection.ts'
import { type Watched, watch } from '../../../webhook/kubernetes/connection/watch.ts'
import { memoryLog } from '../../support/memory-log.ts'
import { until } from '../../support/until.ts'
import { watchedApiServer } from '../../support/watched-api-server.ts'

const PODS = { apiVersion: 'v1', kind: 'Pod', labelSelector: 'a=b' } as const

function pod(name: string, changes: Partial<ClusterObject> = {}): ClusterObject {
  return { metadata: { name, namespace: 'hpc' }, ...changes }
}

class Names {
  readonly names = new Set<string>()
  put({ metadata }: ClusterObject): void {
    this.names.add(metadata?.name ?? '')
  }
  remove({ metadata }: ClusterObject): void {
    this.names.delete(metadata?.name ?? '')
  }
}

async function start(
  t: TestContext,
  pace: Partial<Pace> = {},
  options: { readonly isOptional?: boolean } = {},
) {
  const api = await watchedApiServer(t)
  const { log, lines } = memoryLog()
  const watching = new CollectionWatch({
    cluster: connectCluster(api.kubeconfig, 'flux-metrics-test'),
    collection: PODS,
    createStore: () => new Names(),
    log,
    what: 'pods',
    pace: { pauseCapMs: 50, shortMs: 10, ...pace },
    ...options,
  })
  t.after(() => watching.close())
  const names = () => [...(watching.store?.names ?? [])].sort()
  const isWatch = (url: URL) => url.searchParams.has('watch')
  return {
    api,
    watching,
    lines,
    names,
    lists: () => api.asked.filter((url) => !isWatch(url)).length,
    watchesAsked: () => api.asked.filter(isWatch),
  }
}

const saw = (names: () => readonly string[], expected: readonly string[]) =>
  until(() => names().join() === expected.join(), `${expected}`)

/** Answers the next watches with these, then as usual. */
function answerWatches(...answers: readonly ((response: ServerResponse) => unknown)[]) {
  const left = [...answers]
  return (url: URL, response: ServerResponse): boolean => {
    const answer = url.searchParams.has('watch') ? left.shift() : undefined
    answer?.(response)
    return answer !== undefined
  }
}

test('a list and then each change is seen, with the selector, a version, bookmarks and an end', async (t) => {
  const { api, watching, names, watchesAsked, lines } = await start(t)
  api.put(pod('a'))
  await watching.start()
  assert.deepEqual(names(), ['a'])
  api.put(pod('b'))
  await saw(names, ['a', 'b'])
  api.put(pod('b', { spec: { changed: true } }))
  api.remove(pod('a'))
  await saw(names, ['b'])
  const [asked] = watchesAsked()
  assert.equal(asked?.pathname, '/api/v1/pods')
  const { timeoutSeconds, ...query } = Object.fromEntries(asked?.searchParams ?? [])
  assert.deepEqual(query, {
    labelSelector: 'a=b',
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: '101',
  })
  assert.ok(Number(timeoutSeconds) >= 192 && Number(timeoutSeconds) <= 288, timeoutSeconds)
  assert.deepEqual(lines, [])
})

test('a list is read in parts', async (t) => {
  const { api, watching, names, lists } = await start(t)
  for (let index = 0; index < 250; index += 1) api.put(pod(`p${index}`))
  await watching.start()
  assert.deepEqual([names().length, lists()], [250, 3])
})

test('parts with large pods are read in smaller parts', async (t) => {
  const { api, watching, names } = await start(t)
  for (let index = 0; index < 20; index += 1)
    api.put(pod(`p${index}`, { spec: 'x'.repeat(2 ** 18) }))
  api.put(pod('huge', { spec: 'x'.repeat(9 * 2 ** 20) }))
  await watching.start()
  assert.equal(names().length, 21)
})

test('a list whose second part is no list replaces nothing', async (t) => {
  for (const [code, body] of [
    [404, '404 page not found'],
    [200, '{}'],
  ] as const) {
    const { api, watching, names, lists } = await start(t, { relistMs: 50 })
    for (let index = 0; index < 150; index += 1) api.put(pod(`p${index}`))
    await watching.start()
    let answered = 0
    api.answer = (url, response) => {
      if (!url.searchParams.has('continue')) return false
      answered += 1
      response.writeHead(code).end(body)
      return true
    }
    await until(() => answered === 2, 'two other lists')
    assert.equal(names().length, 150)
    api.answer = () => false
    const before = lists()
    await until(() => lists() >= before + 2 && watching.failure === undefined, 'a whole list')
    assert.equal(names().length, 150)
  }
})

test('an optional kind that the API server does not have is empty, and found when it is there', async (t) => {
  const { api, watching, names, lists, lines } = await start(
    t,
    { relistMs: 50 },
    { isOptional: true },
  )
  const absent = (_url: URL, response: ServerResponse) => {
    response.writeHead(404).end('404 page not found')
    return true
  }
  api.answer = absent
  await watching.start()
  assert.deepEqual([watching.store?.names.size, watching.failure], [0, undefined])
  api.put(pod('a'))
  api.answer = () => false
  await saw(names, ['a'])
  assert.deepEqual(lines, [])
  api.answer = absent
  const before = lists()
  await until(() => lists() > before + 1 && watching.failure !== undefined, 'a failure')
  assert.deepEqual(names(), ['a'])
})

test('a kind that every API server has is never absent', async (t) => {
  const { api, watching } = await start(t)
  api.answer = (_url, response) => {
    response.writeHead(404).end('404 page not found')
    return true
  }
  await watching.start()
  assert.deepEqual(watching.store, undefined)
  assert.match(watching.failure ?? '', /has no resourceVersion/)
})

test('a watch continues from a bookmark', async (t) => {
  const { api, watching, watchesAsked, lists } = await start(t)
  await watching.start()
  await until(() => api.watches().length === 1, 'a watch')
  api.removeSilently(pod('x'))
  api.bookmark()
  await sleep(30)
  for (const response of api.watches()) response.end()
  await until(() => watchesAsked().length === 2, 'a second watch')
  assert.equal(watchesAsked()[1]?.searchParams.get('resourceVersion'), '101')
  assert.equal(lists(), 1)
})

test('410 as a code, and 410 as an event, lead to a new list', async (t) => {
  const { api, watching, names, lists, lines } = await start(t)
  const status = { kind: 'Status', code: 410, message: 'too old resource version' }
  api.answer = answerWatches(
    (response) => {
      api.put(pod('a'))
      response.writeHead(410).end(JSON.stringify(status))
    },
    (response) => {
      api.put(pod('b'))
      response.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`)
    },
  )
  await watching.start()
  await saw(names, ['a', 'b'])
  assert.equal(lists(), 3)
  assert.deepEqual(lines, [])
})

test('a silent connection is given up, and nothing is lost', async (t) => {
  const { api, watching, names, lines } = await start(t, { silenceMs: 80 })
  const silent: ServerResponse[] = []
  api.answer = answerWatches((response) => {
    response.flushHeaders()
    silent.push(response)
  })
  await watching.start()
  api.put(pod('a'))
  await saw(names, ['a'])
  assert.equal(silent[0]?.destroyed, true)
  await until(() => lines.length > 1, 'a second line')
  assert.match(JSON.stringify(lines[0]), /sent nothing for 80 ms/)
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['cannot watch pods: trying again', 'can watch pods again'],
  )
})

test('bytes keep a connection alive, changes or not', async (t) => {
  const { api, watching, watchesAsked } = await start(t, { silenceMs: 300 })
  await watching.start()
  let before = 0
  // Where this process does not run for so long, the connection was silent indeed: then once more.
  for (let longest = Number.POSITIVE_INFINITY; longest > 200; ) {
    await until(() => api.watches().length === 1, 'a watch')
    before = watchesAsked().length
    longest = 0
    for (let count = 0; count < 10; count += 1) {
      const from = performance.now()
      await sleep(60)
      api.bookmark()
      longest = Math.max(longest, performance.now() - from)
    }
  }
  assert.equal(watchesAsked().length, before)
})

test('a change in pieces is put together, and one that was cut off is asked for again', async (t) => {
  const { api, watching, names, lists } = await start(t)
  const line = Buffer.from(
    `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'é-ü', namespace: 'hpc', resourceVersion: '101' } } })}\n`,
  )
  api.answer = answerWatches(
    async (response) => {
      for (const byte of line) {
        response.write(Buffer.of(byte))
        await sleep(1)
      }
      response.write('{"type":"ADDED","object":{"metad')
      await sleep(10)
      response.destroy()
    },
    (response) => response.end('{"type":"ADDED","object"'),
  )
  await watching.start()
  await saw(names, ['é-ü'])
  api.put(pod('b'))
  api.put(pod('c'))
  await saw(names, ['c', 'é-ü'])
  assert.equal(lists(), 1)
})

for (const [what, body] of [
  ['that is not JSON', 'no JSON\n'],
  ['of an unknown type', '{"type":"OTHER","object":{"metadata":{"resourceVersion":"9"}}}\n'],
  ['without a version', '{"type":"ADDED","object":{"metadata":{"name":"x"}}}\n'],
  ['without an object', '{"type":"ADDED"}\n'],
] as const) {
  test(`an event ${what} ends the watch, which begins again`, async (t) => {
    const { api, watching, names, lines } = await start(t)
    api.answer = answerWatches((response) => response.write(body))
    await watching.start()
    api.put(pod('a'))
    await saw(names, ['a'])
    assert.equal(lines[0]?.msg, 'cannot watch pods: trying again')
  })
}

test('an event that never ends is given up in bounded memory', async (t) => {
  const { api, watching, names, lines } = await start(t)
  let sent = 0
  api.answer = answerWatches((response) => {
    const chunk = Buffer.alloc(2 ** 20, 'x')
    const more = () => {
      while (!response.destroyed && response.write(chunk)) sent += 1
    }
    response.on('drain', more)
    more()
  })
  await watching.start()
  api.put(pod('a'))
  await saw(names, ['a'])
  assert.match(JSON.stringify(lines[0]), /a line has more than 12582912 bytes/)
  assert.ok(sent < 64, `${sent} MiB`)
})

test('a list heals a deletion that no watch has told', async (t) => {
  const { api, watching, names } = await start(t, { relistMs: 100 })
  api.put(pod('a'))
  api.put(pod('b'))
  await watching.start()
  assert.deepEqual(names(), ['a', 'b'])
  api.removeSilently(pod('a'))
  await saw(names, ['b'])
})

test('while the API server is away the last copy serves, and what has changed is seen afterwards', async (t) => {
  const { api, watching, names, lines, watchesAsked } = await start(t)
  api.put(pod('a'))
  await watching.start()
  await until(() => api.watches().length === 1, 'a watch')
  await api.down()
  await until(() => watching.failure !== undefined, 'a failure')
  assert.deepEqual(names(), ['a'])
  api.put(pod('b'))
  api.remove(pod('a'))
  const before = watchesAsked().length
  await sleep(200)
  assert.equal(watchesAsked().length, before)
  await api.up()
  await saw(names, ['b'])
  await until(() => watching.failure === undefined, 'no failure')
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['cannot watch pods: trying again', 'can watch pods again'],
  )
})

test('an API server that is away from the start is waited for', async (t) => {
  const { api, watching, names } = await start(t)
  api.put(pod('a'))
  await api.down()
  await watching.start()
  assert.equal(watching.store, undefined)
  assert.match(watching.failure ?? '', /Cannot reach the API server/)
  await api.up()
  await saw(names, ['a'])
})

test('a server that ends each watch at once is not asked in a loop', async (t) => {
  const { api, watching, watchesAsked } = await start(t, { pauseCapMs: 400, shortMs: 5_000 })
  api.answer = (url, response) => {
    if (url.searchParams.has('watch')) response.end()
    return url.searchParams.has('watch')
  }
  await watching.start()
  await sleep(1_000)
  assert.ok(watchesAsked().length < 30, `${watchesAsked().length} watches`)
})

test('close ends the watch and asks no more', async (t) => {
  const { api, watching, lines } = await start(t)
  await watching.start()
  await until(() => api.watches().length === 1, 'a watch')
  watching.close()
  await until(() => api.watches().length === 0, 'no watch')
  const before = api.asked.length
  await sleep(100)
  assert.equal(api.asked.length, before)
  assert.deepEqual(lines, [])
})

test('a refused token is read again for the next watch', async (t) => {
  const api = await watchedApiServer(t)
  api.answer = (_url, response, request) => {
    const isOld = request.headers.authorization === 'Bearer 1'
    if (isOld) response.writeHead(401).end('{"kind":"Status","message":"Unauthorized"}')
    return isOld
  }
  let token = 0
  const connection = new ApiConnection(
    api.url,
    async (options) => {
      token += 1
      options.ca = api.ca
      options.headers = { Authorization: `Bearer ${token}` }
    },
    'flux-metrics-test',
  )
  const closing = new AbortController()
  t.after(() => closing.abort())
  const first = async (): Promise<Watched | undefined> => {
    const options = {
      resourceVersion: '1',
      timeoutSeconds: 60,
      silenceMs: 1_000,
      maxBytes: 1_000,
      signal: closing.signal,
    }
    for await (const change of watch(connection, PODS, options)) return change
    return undefined
  }
  api.put(pod('a'))
  await assert.rejects(first(), (error) => error instanceof ClusterError && error.code === 401)
  const change = await first()
  assert.deepEqual([change?.type, change?.version], ['put', '101'])
})
