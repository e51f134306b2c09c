// The API server, as webhook and authority need it: four verbs over plain objects. The one importer of the Kubernetes
// client, which knows how to reach an API server and who we are to it.
// The whole package is twice as large, in memory too, and this is the part of it that we use.

import { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import { type ApiAnswer, ApiConnection, ClusterError } from './api-connection.ts'
import { pathOf } from './api-path.ts'
import type { ServerVersion } from './server-version.ts'

export { ClusterError } from './api-connection.ts'

/** Names one object; `namespace` is absent for what has none. */
export interface ObjectReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

/** meta/v1 `OwnerReference`, as far as we read it. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
}

/** meta/v1 `ObjectMeta`, as far as we read and write it. */
export interface ObjectMetadata {
  readonly name?: string
  readonly generateName?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
  readonly deletionTimestamp?: string | Date
}

/** An API object. What is not metadata is unknown until somebody narrows it. */
export interface ClusterObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: ObjectMetadata
  readonly [field: string]: unknown
}

/** An API object to be written. */
export interface NewObject extends ClusterObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMetadata
}

/** The verbs. Each call is bounded in time; all throw {@link ClusterError} for what is not named here. */
export interface Cluster {
  /** @returns `undefined` if there is no such object, or no such kind */
  read(reference: ObjectReference): Promise<ClusterObject | undefined>
  /** @returns the object as stored (a review as answered), or `conflict` if it exists already */
  create(object: NewObject): Promise<ClusterObject | 'conflict'>
  /** Replaces the object of the same `resourceVersion`. @returns `conflict` if it is another one by now, or gone */
  replace(object: NewObject): Promise<ClusterObject | 'conflict'>
  /**
   * Server-side apply of exactly these fields, forced: we own them, whoever wrote them last.
   *
   * @returns `undefined` if there is no such object: nothing is created
   */
  apply(object: NewObject): Promise<ClusterObject | undefined>
}

/**
 * How often the API server is asked for what others may change: a change is repaired or taken over within 10 s, which is
 * the interval and the time that a call takes.
 */
export const POLL_PACE = { intervalMs: 5_000, pauseCapMs: 10_000 } as const

const FIELD_MANAGER = 'flux-metrics-webhook'

/** The verbs, and the version, over one connection. */
export interface ApiServer extends Cluster {
  /** @throws ClusterError */
  readVersion(): Promise<ServerVersion>
}

/**
 * Makes ready to reach the API server: as a file says, or as a pod is given it.
 *
 * @throws Error naming what is missing
 */
export function connectCluster(path: string | undefined): ApiServer {
  const config = new KubeConfig()
  if (path === undefined) config.loadFromCluster()
  else config.loadFromFile(path)
  const server = config.getCurrentCluster()?.server
  if (server === undefined) throw new Error(`Cannot find an API server in "${path ?? 'the pod'}"`)
  // The library's own client opens a connection for each call, and reads its files.
  const connection = new ApiConnection(server, (options) => config.applyToHTTPSOptions(options))
  return { ...createCluster(connection), readVersion: () => readVersion(connection) }
}

function createCluster(connection: ApiConnection): Cluster {
  const read = async (reference: ObjectReference) => {
    const path = pathOf(reference)
    // What cannot be a name is nobody's.
    if (path === undefined) return undefined
    const answer = await connection.call('GET', path)
    return answer.code === 404 ? undefined : objectOf(answer)
  }
  return {
    read,
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
      // Without this look, applying would create what is not there.
      if ((await read(referenceOf(object))) === undefined) return undefined
      const path = `${placeOf(object)}?fieldManager=${FIELD_MANAGER}&force=true`
      // JSON is YAML.
      const contentType = 'application/apply-patch+yaml'
      return objectOf(await connection.call('PATCH', path, { body: object, contentType }))
    },
  }
}

/** Providers add to the minor version: `31+`. */
async function readVersion(connection: ApiConnection): Promise<ServerVersion> {
  const { major, minor } = objectOf(await connection.call('GET', '/version'))
  const version = {
    major: Number.parseInt(String(major), 10),
    minor: Number.parseInt(String(minor), 10),
  }
  if (Number.isInteger(version.major) && Number.isInteger(version.minor)) return version
  throw new ClusterError(200, 'The API server does not tell its version')
}

function objectOf({ code, body }: ApiAnswer): ClusterObject {
  if (code >= 200 && code < 300) return body
  throw new ClusterError(code, `The API server answered ${code}: ${messageOf(body)}`)
}

/** The message of a meta/v1 `Status`. */
function messageOf({ message }: ClusterObject): string {
  return typeof message === 'string' ? message : 'no Status'
}

function referenceOf({ apiVersion, kind, metadata }: NewObject): ObjectReference {
  const { name = '', namespace } = metadata
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }
}

function placeOf(object: NewObject): string {
  const path = pathOf(referenceOf(object))
  if (path !== undefined) return path
  throw new ClusterError(0, `Cannot write ${object.kind} "${object.metadata.name}": no such place`)
}

function collectionOf({ apiVersion, kind, metadata }: NewObject): string {
  const { namespace } = metadata
  const path = pathOf({ apiVersion, kind, ...(namespace === undefined ? {} : { namespace }) })
  if (path !== undefined) return path
  throw new ClusterError(0, `Cannot create ${kind} in "${namespace}": no such place`)
}
