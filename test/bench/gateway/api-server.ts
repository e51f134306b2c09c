// An API server for the gateway, over HTTPS: objects by their paths, lists and watches that select by label, bookmarks. It forgets
// no change, and ends no watch before its time.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { pathOf } from '../../../webhook/kubernetes/api-path.ts'
import type { ClusterObject } from '../../../webhook/kubernetes/cluster.ts'
import type { KeyPair } from '../../support/certificates.ts'

/** API servers send one each minute. */
const BOOKMARK_MS = 60_000

const NOT_FOUND = { kind: 'Status', apiVersion: 'v1', code: 404, message: 'not found' }

interface Watch {
  readonly response: ServerResponse
  readonly collection: string
  readonly selectors: Selectors
}

interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly collection: string
  readonly object: ClusterObject
  readonly version: number
}

/** An object with its type and its name. */
export interface NamedObject extends ClusterObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: NonNullable<ClusterObject['metadata']> & { readonly name: string }
}

export class BenchApiServer {
  /** By their paths. */
  readonly #objects = new Map<string, ClusterObject>()
  readonly #changes: Change[] = []
  readonly #watches = new Set<Watch>()
  readonly #server
  readonly #bookmarks: NodeJS.Timeout

  constructor(keys: KeyPair) {
    this.#server = createServer(keys, (request, response) => void this.#answer(request, response))
    this.#bookmarks = setInterval(() => this.#bookmark(), BOOKMARK_MS)
  }

  /** @returns the URL */
  async listen(): Promise<string> {
    this.#server.listen(0, 'localhost')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return `https://localhost:${address.port}`
  }

  close(): void {
    clearInterval(this.#bookmarks)
    this.#server.closeAllConnections()
    this.#server.close()
  }

  put(object: NamedObject): void {
    const path = placeOf(object)
    const type = this.#objects.has(path) ? 'MODIFIED' : 'ADDED'
    this.#objects.set(path, this.#tell(type, object))
  }

  remove(object: NamedObject): void {
    this.#objects.delete(placeOf(object))
    this.#tell('DELETED', object)
  }

  #tell(type: Change['type'], object: NamedObject): ClusterObject {
    const version = this.#changes.length + 1
    const metadata = { ...object.metadata, resourceVersion: String(version) }
    const stamped = { ...object, metadata }
    const { apiVersion, kind } = object
    const change = {
      type,
      object: stamped,
      version,
      collection: collectionOf({ apiVersion, kind }),
    }
    this.#changes.push(change)
    for (const watch of this.#watches) send(watch, change)
    return stamped
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://localhost')
    response.setHeader('Content-Type', 'application/json')
    if (request.method === 'POST' || request.method === 'PUT') {
      const object = JSON.parse(await textOf(request))
      if (object.kind !== 'Event') this.put(object)
      response.statusCode = 201
      response.end(JSON.stringify(object))
      return
    }
    const object = this.#objects.get(pathname)
    if (object !== undefined) response.end(JSON.stringify(object))
    else if (searchParams.has('watch')) this.#watch(pathname, searchParams, response)
    else if (searchParams.has('limit')) response.end(this.#list(pathname, searchParams))
    else response.writeHead(404).end(JSON.stringify(NOT_FOUND))
  }

  #list(collection: string, parameters: URLSearchParams): string {
    const selectors = selectorsIn(parameters)
    const all = [...this.#objects].flatMap(([path, object]) =>
      isIn(path, collection) && matches(object, selectors) ? [object] : [],
    )
    const start = Number(parameters.get('continue') ?? 0)
    const end = start + Number(parameters.get('limit'))
    const next = end < all.length ? { continue: String(end) } : {}
    const metadata = { resourceVersion: String(this.#changes.length), ...next }
    return JSON.stringify({
      kind: 'List',
      apiVersion: 'v1',
      metadata,
      items: all.slice(start, end),
    })
  }

  #watch(collection: string, parameters: URLSearchParams, response: ServerResponse): void {
    const watch = { response, collection, selectors: selectorsIn(parameters) }
    this.#watches.add(watch)
    const seconds = Number(parameters.get('timeoutSeconds') ?? 300)
    const timer = setTimeout(() => response.end(), seconds * 1000)
    response.once('close', () => {
      clearTimeout(timer)
      this.#watches.delete(watch)
    })
    response.flushHeaders()
    for (const change of this.#changes.slice(Number(parameters.get('resourceVersion')))) {
      send(watch, change)
    }
  }

  #bookmark(): void {
    const metadata = { resourceVersion: String(this.#changes.length) }
    const line = `${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`
    for (const { response } of this.#watches) response.write(line)
  }
}

function send({ response, collection, selectors }: Watch, change: Change): void {
  const { type, object } = change
  if (change.collection !== collection || !matches(object, selectors)) return
  response.write(`${JSON.stringify({ type, object })}\n`)
}

/** What a list or a watch selects. */
interface Selectors {
  /** Equalities and keys: `key=value,key`. */
  readonly labels: string
  /** Equalities: `spec.nodeName=,status.phase=Pending`. */
  readonly fields: string
}

function selectorsIn(parameters: URLSearchParams): Selectors {
  return {
    labels: parameters.get('labelSelector') ?? '',
    fields: parameters.get('fieldSelector') ?? '',
  }
}

function matches(object: ClusterObject, { labels, fields }: Selectors): boolean {
  const hasLabels = partsOf(labels).every(([key, value]) => {
    const label = object.metadata?.labels?.[key]
    return value === undefined ? label !== undefined : label === value
  })
  return hasLabels && partsOf(fields).every(([path, value = '']) => fieldAt(object, path) === value)
}

function partsOf(selector: string): readonly (readonly [key: string, value: string | undefined])[] {
  if (selector === '') return []
  return selector.split(',').map((part) => {
    const [key = '', value] = part.split('=')
    return [key, value]
  })
}

/** A field that is not there is empty. */
function fieldAt(object: ClusterObject, path: string): string {
  let value: unknown = object
  for (const key of path.split('.')) {
    const fields: Record<string, unknown> =
      typeof value === 'object' && value !== null ? { ...value } : {}
    value = fields[key]
  }
  return typeof value === 'string' ? value : ''
}

/** Whether the object at a path is of a collection: of a namespace or of all. */
function isIn(path: string, collection: string): boolean {
  const ofAll = path.replace(/\/namespaces\/[^/]+/, '')
  return [path, ofAll].some((one) => one.slice(0, one.lastIndexOf('/')) === collection)
}

function placeOf({ apiVersion, kind, metadata }: NamedObject): string {
  const { namespace, name } = metadata
  const place = { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }
  return pathOf(place) ?? unknown(kind)
}

function collectionOf(collection: { readonly apiVersion: string; readonly kind: string }): string {
  return pathOf(collection) ?? unknown(collection.kind)
}

function unknown(kind: string): never {
  throw new Error(`Cannot serve ${kind}: it has no path`)
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
