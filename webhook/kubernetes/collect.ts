// Reads a whole collection, part by part, and keeps only what is needed of each object. Does not know what that is.

import type { Cluster, ClusterObject, Collection, ListPage } from './cluster.ts'
import { ClusterError, isTooMuch } from './connection/api-connection.ts'

/** A part is parsed at once: the metadata of so many pods takes some milliseconds. */
const PART = 100

/** How often the API server may say that the rest of a list is gone: it keeps old states for 5 minutes. */
const MAX_STARTS = 3

/** What was kept, and whether there was more. */
export interface Collected<T> {
  readonly kept: readonly T[]
  readonly isCut: boolean
}

/**
 * Reads a collection.
 *
 * @param options.keep what is kept of an object; `undefined`: nothing
 * @param options.max how many are kept at most
 * @throws ClusterError
 */
export async function collect<T>(
  cluster: Pick<Cluster, 'list'>,
  collection: Collection,
  options: { readonly keep: (object: ClusterObject) => T | undefined; readonly max: number },
): Promise<Collected<T>> {
  for (let start = 1; ; start += 1) {
    try {
      return await collectOnce(cluster, collection, options)
    } catch (error) {
      const isGone = error instanceof ClusterError && error.code === 410
      if (!isGone || start === MAX_STARTS) throw error
    }
  }
}

async function collectOnce<T>(
  cluster: Pick<Cluster, 'list'>,
  collection: Collection,
  { keep, max }: { readonly keep: (object: ClusterObject) => T | undefined; readonly max: number },
): Promise<Collected<T>> {
  const kept: T[] = []
  for await (const page of partsOf(cluster, collection)) {
    for (const object of page.items) {
      const value = keep(object)
      if (value === undefined) continue
      if (kept.length === max) return { kept, isCut: true }
      kept.push(value)
    }
  }
  return { kept, isCut: false }
}

/**
 * The parts of a collection, all of one state of the cluster.
 *
 * @throws ClusterError 410 if the rest of the list is gone
 */
export async function* partsOf(
  cluster: Pick<Cluster, 'list'>,
  collection: Collection,
  bounds: PartBounds = {},
): AsyncGenerator<ListPage> {
  const { objects = PART } = bounds
  let limit = objects
  let next: string | undefined
  do {
    const part = await readPart(cluster, collection, { ...bounds, objects: limit }, next)
    yield part.page
    next = part.page.continue
    // An API server makes the whole of a part that is too long, and stays busy with it when nobody reads on.
    limit = Math.min(part.limit * 2, objects)
  } while (next !== undefined)
}

/**
 * The same, of a kind that every API server has, such as pods. What answers 404 for an API server that is away says no
 * version: a list of nothing would then be taken for the truth.
 *
 * @throws ClusterError also for such an answer
 */
export async function* certainPartsOf(
  ...[cluster, collection, bounds]: Parameters<typeof partsOf>
): AsyncGenerator<ListPage> {
  for await (const page of partsOf(cluster, collection, bounds)) {
    if (page.resourceVersion === undefined) {
      throw new ClusterError(0, `The list of kind ${collection.kind} has no resourceVersion`)
    }
    yield page
  }
}

export interface PartBounds {
  /** The most objects of a part. Default: {@link PART}. */
  readonly objects?: number
  /** The longest part of several objects. */
  readonly maxBytes?: number
  /** The longest object. */
  readonly maxObjectBytes?: number
}

/** Users choose how large their objects are: where a part is too long, or takes too long, fewer objects are asked for. */
async function readPart(
  cluster: Pick<Cluster, 'list'>,
  collection: Collection,
  { objects, maxBytes: ofSeveral, maxObjectBytes: ofOne }: PartBounds & { objects: number },
  next: string | undefined,
): Promise<{ readonly page: ListPage; readonly limit: number }> {
  for (let limit = objects; ; limit = Math.ceil(limit / 8)) {
    const maxBytes = limit === 1 ? ofOne : ofSeveral
    const bound = maxBytes === undefined ? {} : { maxBytes }
    try {
      return { page: await cluster.list(collection, { limit, continue: next, ...bound }), limit }
    } catch (error) {
      if (!isTooMuch(error) || limit === 1) throw error
    }
  }
}
