// The API server, as webhook and gateway need it: seven verbs over plain objects. The only importer of the Kubernetes
// client, of which it uses one part: how to reach an API server, and with which credentials. The whole package takes
// twice the memory.
import { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import { type ApiAnswer, ApiConnection, ClusterError, refusalOf } from './api-connection.ts'
import { pathOf } from './api-path.ts'
import {
  type Collection,
  collectionPath,
  EMPTY_PAGE,
  type ListOptions,
  type ListPage,
  METADATA_LIST,
  pageOf,
} from './collections.ts'
import type { ClusterObject, NewObject, ObjectReference } from './objects.ts'
import type { ServerVersion } from './server-version.ts'
import { type Watched, type WatchOptions, watch } from './watch.ts'

export { AnswerTooLong, ClusterError } from './api-connection.ts'
export type { Collection, ListOptions, ListPage } from './collections.ts'
export type {
  ClusterObject,
  NewObject,
  ObjectMetadata,
  ObjectReference,
  OwnerReference,
} from './objects.ts'

/** The verbs. Each call is limited in time. All throw {@link ClusterError} on any failure that is not named here. */
export interface Cluster {
  /** @returns `undefined` if there is no such object, or no such kind */
  read(reference: ObjectReference): Promise<ClusterObject | undefined>
  /** One part of a collection, without objects if there is no such kind or namespace. */
  list(collection: Collection, options: ListOptions): Promise<ListPage>
  /** @returns the object as stored (a review as answered), or `conflict` if it exists already */
  create(object: NewObject): Promise<ClusterObject | 'conflict'>
  /** Replaces the object of the same `resourceVersion`. @returns `conflict` if it was changed or deleted since */
  replace(object: NewObject): Promise<ClusterObject | 'conflict'>
  /**
   * Server-side apply of exactly these fields. It is forced: the webhook owns these fields, even if another writer has
   * set them.
   *
   * @returns `undefined` if there is no such object: nothing is created
   */
  apply(object: NewObject): Promise<ClusterObject | undefined>
}

/**
 * How often objects that others may change are read. A change is repaired or adopted within 10 s: the interval, and the
 * time of a call.
 */
export const POLL_PACE = { intervalMs: 5_000, pauseCapMs: 10_000 } as const

const FIELD_MANAGER = 'flux-metrics-webhook'

const NO_PATH = 'expected a known kind and valid names'

/** The verb that has no end of its own. */
export interface Watching {
  /**
   * The changes of a collection since a list or another change. Ends after `timeoutSeconds`, or when the connection ends.
   *
   * @throws ClusterError 410 if the API server no longer knows all changes; 0 if the connection is silent or breaks
   */
  watch(collection: Collection, options: WatchOptions): AsyncIterable<Watched>
}

/** The verbs and the version of one API server. The webhook deletes nothing. */
export interface ApiServer extends Cluster, Watching {
  /** Deletes the object of the same `resourceVersion`. @returns `conflict` if it was changed since; `undefined` if it is gone */
  delete(object: NewObject): Promise<'conflict' | undefined>
  /** @throws ClusterError */
  readVersion(): Promise<ServerVersion>
}

/**
 * Prepares the connection to the API server: with a kubeconfig file, or with the service account of the pod. Makes no call.
 *
 * @param path of the kubeconfig file
 * @throws Error that names what is missing
 */
export function connectCluster(path: string | undefined): ApiServer {
  const config = new KubeConfig()
  if (path === undefined) config.loadFromCluster()
  else config.loadFromFile(path)
  const server = config.getCurrentCluster()?.server
  if (server === undefined) throw new Error(`Cannot find an API server in "${path ?? 'the pod'}"`)
  // The library's own client opens a connection and reads its files for each call.
  const connection = new ApiConnection(server, (options) => config.applyToHTTPSOptions(options))
  return {
    ...createCluster(connection),
    readVersion: () => readVersion(connection),
    watch: (collection, options) => watch(connection, collection, options),
  }
}

function createCluster(connection: ApiConnection): Omit<ApiServer, 'readVersion' | 'watch'> {
  const read = async (reference: ObjectReference) => {
    const path = pathOf(reference)
    // No object can have an invalid name.
    if (path === undefined) return undefined
    const accept = reference.metadataOnly === true ? { accept: METADATA } : {}
    const answer = await connection.call('GET', path, accept)
    return answer.code === 404 ? undefined : objectOf(answer)
  }
  return {
    read,
    list: async (collection, options) => {
      const { limit, continue: next, maxBytes } = options
      const path = collectionPath(collection, { limit, continue: next })
      if (path === undefined) return EMPTY_PAGE
      const answer = await connection.call('GET', path, {
        ...(collection.metadataOnly === true && { accept: METADATA_LIST }),
        ...(maxBytes !== undefined && { maxBytes }),
      })
      // A further part that is not there would make the list shorter.
      const isEmpty = answer.code === 404 && next === undefined
      return isEmpty ? EMPTY_PAGE : pageOf(objectOf(answer), collection)
    },
    create: async (object) => {
      const path = collectionOf(object)
      const answer = await connection.call('POST', path, { body: object })
      return answer.code === 409 ? 'conflict' : objectOf(answer)
    },
    replace: async (object) => {
      const answer = await connection.call('PUT', placeOf(object), { body: object })
      return answer.code === 404 || answer.code === 409 ? 'conflict' : objectOf(answer)
    },
    apply: async (object) => {
      // Without this check, the apply would create an object that does not exist.
      if ((await read(referenceOf(object))) === undefined) return undefined
      const path = `${placeOf(object)}?fieldManager=${FIELD_MANAGER}&force=true`
      // Every JSON document is also a YAML document.
      const contentType = 'application/apply-patch+yaml'
      return objectOf(await connection.call('PATCH', path, { body: object, contentType }))
    },
    delete: async (object) => {
      const { uid, resourceVersion } = object.metadata
      const body = { ...DELETE_OPTIONS, preconditions: { uid, resourceVersion } }
      const answer = await connection.call('DELETE', placeOf(object), { body })
      if (answer.code === 409) return 'conflict'
      if (answer.code !== 404) objectOf(answer)
      return undefined
    },
  }
}

const DELETE_OPTIONS = { apiVersion: 'meta.k8s.io/v1', kind: 'DeleteOptions' } as const

/** The media type of an object's metadata alone (meta/v1). */
const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'

/** Some providers add a suffix to the minor version: `31+`. */
async function readVersion(connection: ApiConnection): Promise<ServerVersion> {
  const { major, minor } = objectOf(await connection.call('GET', '/version'))
  const version = {
    major: Number.parseInt(String(major), 10),
    minor: Number.parseInt(String(minor), 10),
  }
  if (Number.isInteger(version.major) && Number.isInteger(version.minor)) return version
  throw new ClusterError(200, 'Cannot read the version of the API server: expected two numbers')
}

function objectOf({ code, body }: ApiAnswer): ClusterObject {
  if (code >= 200 && code < 300) return body
  throw refusalOf({ code, body })
}

function referenceOf({ apiVersion, kind, metadata }: NewObject): ObjectReference {
  const { name = '', namespace } = metadata
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }
}

function placeOf(object: NewObject): string {
  const path = pathOf(referenceOf(object))
  if (path !== undefined) return path
  throw new ClusterError(0, `Cannot write ${object.kind} "${object.metadata.name}": ${NO_PATH}`)
}

function collectionOf({ apiVersion, kind, metadata }: NewObject): string {
  const { namespace } = metadata
  const path = pathOf({ apiVersion, kind, ...(namespace === undefined ? {} : { namespace }) })
  if (path !== undefined) return path
  throw new ClusterError(0, `Cannot create ${kind} in "${namespace}": ${NO_PATH}`)
}
