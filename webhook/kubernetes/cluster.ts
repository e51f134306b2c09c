// The API server, as webhook and gateway need it: seven verbs over plain objects.
import type { ClusterObject, NewObject, ObjectReference } from '../objects/cluster-object.ts'
import type { Collection, ListOptions, ListPage } from './connection/collections.ts'
import type { Watched, WatchOptions } from './connection/watch.ts'
import type { ServerVersion } from './server-version.ts'

export type {
  ClusterObject,
  NewObject,
  ObjectMetadata,
  ObjectReference,
  OwnerReference,
} from '../objects/cluster-object.ts'
export { AnswerTooLong, ClusterError } from './connection/api-connection.ts'
export type { Collection, ListOptions, ListPage } from './connection/collections.ts'

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
