// An API server for watches, over real HTTPS: keeps pods, lists them in parts, and sends changes as they happen. A test may answer
// any request itself. Ends no watch by itself, and sends no bookmarks unless told to.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { ClusterObject } from '../../webhook/kubernetes/cluster.ts'
import { createAuthority } from './certificates.ts'

/** Answers a request in place of the server. @returns whether it did */
export type Answering = (url: URL, response: ServerResponse, request: IncomingMessage) => boolean

export interface WatchedApiServer {
  readonly url: string
  readonly ca: string
  /** Path of a kubeconfig file. */
  readonly kubeconfig: string
  /** Paths with queries, in order. */
  readonly asked: readonly URL[]
  /** Answers first. */
  answer: Answering
  put(object: ClusterObject): void
  remove(object: ClusterObject): void
  /** Changes the pods, and tells no watch. */
  removeSilently(object: ClusterObject): void
  bookmark(): void
  /** The watches that are open. */
  watches(): readonly ServerResponse[]
  /** Refuses connections, and breaks those that are open, until {@link up}. */
  down(): Promise<void>
  up(): Promise<void>
}

interface Change {
  readonly type: string
  readonly object: ClusterObject
  readonly version: number
}

const keyOf = ({ metadata }: ClusterObject) => `${metadata?.namespace}/${metadata?.name}`

export async function watchedApiServer(t: TestContext): Promise<WatchedApiServer> {
  const authority = await createAuthority('kubernetes-ca')
  const { cert, key } = await authority.issue({ commonName: 'kube-apiserver', dns: ['localhost'] })
  const pods = new Map<string, ClusterObject>()
  const changes: Change[] = []
  const asked: URL[] = []
  const watches = new Set<ServerResponse>()
  let version = 100

  const list = (url: URL, response: ServerResponse) => {
    const start = Number(url.searchParams.get('continue') ?? 0)
    const end = start + Number(url.searchParams.get('limit'))
    const all = [...pods.values()]
    const next = end < all.length ? { continue: String(end) } : {}
    const metadata = { resourceVersion: String(version), ...next }
    const items = all.slice(start, end)
    // Node copies a long string in parts, which takes several times as long.
    response.end(Buffer.from(JSON.stringify({ kind: 'PodList', metadata, items })))
  }

  const send = (response: ServerResponse, { type, object }: Pick<Change, 'type' | 'object'>) =>
    response.write(`${JSON.stringify({ type, object })}\n`)

  const watch = (url: URL, response: ServerResponse) => {
    watches.add(response)
    response.on('close', () => watches.delete(response))
    response.flushHeaders()
    const since = Number(url.searchParams.get('resourceVersion'))
    for (const change of changes) if (change.version > since) send(response, change)
  }

  const server = createServer({ cert, key }, (request, response) => {
    const url = new URL(request.url ?? '', 'https://localhost')
    asked.push(url)
    request.resume()
    response.setHeader('Content-Type', 'application/json')
    if (api.answer(url, response, request)) return
    if (url.searchParams.has('watch')) watch(url, response)
    else list(url, response)
  })
  const listen = async (port: number) => {
    server.listen(port, 'localhost')
    await once(server, 'listening')
  }
  await listen(0)
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const url = `https://localhost:${address.port}`
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })

  const change = (type: string, object: ClusterObject) => {
    version += 1
    const metadata = { ...object.metadata, resourceVersion: String(version) }
    const stamped = { ...object, metadata }
    if (type === 'DELETED') pods.delete(keyOf(object))
    else pods.set(keyOf(object), stamped)
    const made = { type, object: stamped, version }
    changes.push(made)
    for (const response of watches) send(response, made)
  }

  const api: WatchedApiServer = {
    url,
    ca: authority.cert,
    kubeconfig: await writeKubeconfig(t, url, authority.cert),
    asked,
    answer: () => false,
    put: (object) => change(pods.has(keyOf(object)) ? 'MODIFIED' : 'ADDED', object),
    remove: (object) => change('DELETED', object),
    removeSilently: (object) => {
      version += 1
      pods.delete(keyOf(object))
    },
    bookmark: () => {
      const object = { kind: 'Pod', metadata: { resourceVersion: String(version) } }
      for (const response of watches) send(response, { type: 'BOOKMARK', object })
    },
    watches: () => [...watches],
    down: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
    up: async () => listen(address.port),
  }
  return api
}

async function writeKubeconfig(t: TestContext, server: string, ca: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
  t.after(async () => rm(folder, { recursive: true }))
  const path = join(folder, 'config')
  const data = Buffer.from(ca).toString('base64')
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'a', cluster: { server, 'certificate-authority-data': data } }],
    users: [{ name: 'a', user: { token: 'secret-token' } }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    'current-context': 'a',
  }
  await writeFile(path, JSON.stringify(kubeconfig))
  return path
}
