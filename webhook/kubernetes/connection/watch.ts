// One watch of the API server: the changes of a collection as they happen. A watch that is silent is given up: a
// connection may be broken without an end. Starts no second one (collection-watch.ts does).
import type { Readable } from 'node:stream'
import * as v from 'valibot'
import type { ClusterObject } from '../../objects/cluster-object.ts'
import { type ApiConnection, ClusterError, callError, refusalOf } from './api-connection.ts'
import { type Collection, collectionPath } from './collections.ts'
import { linesOf } from './json-lines.ts'

export interface WatchOptions {
  /** Of a list, or of the last change that was seen. */
  readonly resourceVersion: string
  /** When the API server ends it. */
  readonly timeoutSeconds: number
  /** How long it may be silent. The API server sends a bookmark each minute. */
  readonly silenceMs: number
  /** The longest change. */
  readonly maxBytes: number
  readonly signal: AbortSignal
}

/** A change, or a bookmark: the same watch may continue from its version. */
export type Watched =
  | { readonly type: 'put' | 'removed'; readonly object: ClusterObject; readonly version: string }
  | { readonly type: 'bookmark'; readonly version: string }

const EventSchema = v.looseObject({ type: v.string(), object: v.looseObject({}) })

const VersionSchema = v.looseObject({
  metadata: v.looseObject({ resourceVersion: v.pipe(v.string(), v.nonEmpty()) }),
})

const TYPES: ReadonlyMap<string, 'put' | 'removed'> = new Map([
  ['ADDED', 'put'],
  ['MODIFIED', 'put'],
  ['DELETED', 'removed'],
])

/** @throws ClusterError 410 if the changes since that version are gone; 0 if the connection is silent or breaks */
export async function* watch(
  connection: ApiConnection,
  collection: Collection,
  { resourceVersion, timeoutSeconds, silenceMs, maxBytes, signal }: WatchOptions,
): AsyncGenerator<Watched> {
  const path = collectionPath(collection, {
    watch: true,
    allowWatchBookmarks: true,
    resourceVersion,
    timeoutSeconds,
  })
  if (path === undefined) throw new ClusterError(0, `Cannot watch ${collection.kind}: unknown kind`)
  const stream = await connection.open(path)
  const stop = () => stream.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    if (signal.aborted) return
    for await (const line of linesOf(withoutSilence(stream, silenceMs), maxBytes)) yield read(line)
  } catch (error) {
    if (signal.aborted) return
    throw error instanceof ClusterError ? error : callError('Cannot watch the API server', error)
  } finally {
    signal.removeEventListener('abort', stop)
    stream.destroy()
  }
}

async function* withoutSilence(stream: Readable, silenceMs: number): AsyncGenerator<Buffer> {
  const timer = setTimeout(() => {
    stream.destroy(new Error(`it sent nothing for ${silenceMs} ms`))
  }, silenceMs)
  try {
    for await (const chunk of stream) {
      timer.refresh()
      yield chunk
    }
  } finally {
    clearTimeout(timer)
  }
}

function read(line: string): Watched {
  const event = v.parse(EventSchema, JSON.parse(line))
  const { object } = event
  if (event.type === 'ERROR') {
    const code = typeof object.code === 'number' ? object.code : 500
    throw refusalOf({ code, body: object })
  }
  const version = v.parse(VersionSchema, object).metadata.resourceVersion
  if (event.type === 'BOOKMARK') return { type: 'bookmark', version }
  const type = TYPES.get(event.type)
  if (type === undefined) throw new Error(`it sent an event of unknown type "${event.type}"`)
  return { type, object, version }
}
