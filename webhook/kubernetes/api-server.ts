// The verbs over HTTPS. The only importer of the Kubernetes client, of which it uses one part: how to reach an API server,
// and with which credentials. The whole package takes twice the memory.
import { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import { FIELD_MANAGER } from '../contract.ts'
import type { ClusterObject, NewObject, ObjectReference } from '../objects/cluster-object.ts'
import { pathOf } from './api-path.ts'
import type { ApiServer } from './cluster.ts'
import {
  type ApiAnswer,
  ApiConnection,
  ClusterError,
  refusalOf,
} from './connection/api-connection.ts'
import type { ApplyCredentials } from './connection/api-credentials.ts'
import { collectionPath, EMPTY_PAGE, METADATA_LIST, pageOf } from './connection/collections.ts'
import { watch } from './connection/watch.ts'
import type { ServerVersion } from './server-version.ts'

const NO_PATH = 'expected a known kind and valid names'

/**
 * Prepares the connection to the API server: with a kubeconfig file, or with the service account of the pod. Makes no call.
 *
 * @param path of the kubeconfig file
 * @param userAgent names the program to the API server: {@link ApiConnection}
 * @throws Error that names what is missing
 */
export function connectCluster(path: string | undefined, userAgent: string): ApiServer {
  const config = new KubeConfig()
  if (path === undefined) config.loadFromCluster()
  else config.loadFromFile(path)
  const server = config.getCurrentCluster()?.server
  if (server === undefined) throw new Error(`Cannot find an API server in "${path ?? 'the pod'}"`)
  // The library's own client opens a connection and reads its files for each call.
  const apply: ApplyCredentials = (options) => config.applyToHTTPSOptions(options)
  const connection = new ApiConnection(server, apply, userAgent)
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
